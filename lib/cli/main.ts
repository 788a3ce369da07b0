#!/usr/bin/env node
// The `winnow` command. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { packageRoot } from '../addon.js';
import { benchCommand } from './bench.js';
import { endQuietlyWhenPipeCloses, exitCodes } from './command.js';
import { doctorCommand } from './doctor.js';
import { generateCommand } from './generate.js';
import { turnCommand } from './turn.js';

const manifest = JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string };

function makeProgram(): Command {
  const program = new Command('winnow')
    .description('Generate many, score all, keep the best.')
    .version(manifest.version)
    .showHelpAfterError('(add --help for the options)');
  for (const command of [turnCommand, generateCommand, benchCommand, doctorCommand]) program.addCommand(command);
  for (const command of [program, ...program.commands]) {
    command.copyInheritedSettings(program).exitOverride();
  }
  return program;
}

async function main(): Promise<void> {
  endQuietlyWhenPipeCloses();
  try {
    await makeProgram().parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage; // It has been printed.
  }
}

void main();
