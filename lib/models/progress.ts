/** What happens while a model is found or fetched. `bytes` of `totalBytes` are done in this phase. */
export interface ModelProgress {
  phase: 'waiting' | 'download' | 'unpack' | 'verify' | 'check';
  /** Name of the model or of its file. */
  name: string;
  bytes: number;
  /** 0 where it is not known. */
  totalBytes: number;
}

export interface FetchOptions {
  signal?: AbortSignal;
  onProgress?: (progress: ModelProgress) => void;
  /** Folder of everything that is fetched and remembered. @default $WINNOW_HOME, else the user's cache folder */
  cacheFolder?: string;
}
