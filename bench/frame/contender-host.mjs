// node bench/frame/contender-host.mjs <name>      the child side of contender-process.mjs, for contenders in JavaScript
import { createInterface } from 'node:readline';
import { serve } from './serve.mjs';

const [name] = process.argv.slice(2);
const { default: contender } = await import(new URL(`../contenders/${name}.mjs`, import.meta.url));
process.on('SIGTERM', () => process.exit(143)); // So that 'exit' is told, which ends a server of the contender's.
await serve(contender, createInterface({ input: process.stdin }), (line) => process.stdout.write(`${line}\n`));
process.exit(0);
