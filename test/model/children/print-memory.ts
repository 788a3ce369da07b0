// Loads a model and prints what the process occupies then: node print-memory.js FILE KERNELS
import { readFileSync } from 'node:fs';
import { loadModel } from '../../../lib/index.js';
import type { LoadOptions } from '../../../lib/index.js';

const [file, kernels] = process.argv.slice(2);
const options = { gpuLayers: 0, contextSize: 256, cacheTokens: 256, maxStepTokens: 64, maxSequences: 4 };
const model = await loadModel(file, { ...options, kernels: kernels as LoadOptions['kernels'] });
const status = readFileSync('/proc/self/status', 'utf8');
const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)![1]) * 1024;
const { sizeBytes, kernels: used } = model.info;
console.log(JSON.stringify({ kernels: used, sizeBytes, anonymous: bytes('RssAnon'), mapped: bytes('RssFile') }));
await model.close();
