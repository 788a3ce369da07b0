/** What a file holds, by the end of its name: `.csv`, `.parquet`, anything else is JSON lines; `.gz` and `.zst` behind it. */
export interface Format {
  kind: 'jsonl' | 'csv' | 'parquet';
  compression: 'none' | 'gzip' | 'zstd';
}

/** '-' is standard input or output. `csv` = whatever the name says. */
export function formatOf(file: string, csv = false): Format {
  const [, name, compressed] = /^(.*?)(\.gz|\.zst)?$/i.exec(file) as unknown as [string, string, string?];
  const compression = ({ '.gz': 'gzip', '.zst': 'zstd' } as const)[compressed?.toLowerCase() ?? ''] ?? 'none';
  if (csv || /\.csv$/i.test(name)) return { kind: 'csv', compression };
  return { kind: /\.parquet$/i.test(name) ? 'parquet' : 'jsonl', compression };
}

/** Rows can be appended to it as they end, and read back by any tool at any time. */
export const isAppendable = ({ kind, compression }: Format): boolean => kind === 'jsonl' && compression === 'none';
