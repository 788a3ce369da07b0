#!/usr/bin/env node
// The `winnow` command. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but for some rows, 130 interrupted.
import { Command, CommanderError } from 'commander';
import { packageVersion } from '../addon.js';
import { batchCommand } from './batch.js';
import { benchCommand } from './bench.js';
import { buildCommand } from './build.js';
import { endWhenStdoutFails, exitCodes } from './command.js';
import { chatCommand } from './chat.js';
import { doctorCommand } from './doctor.js';
import { evalCommand } from './eval.js';
import { generateCommand } from './generate.js';
import { listCommand, pullCommand, removeCommand } from './models.js';
import { recipeCommand } from './recipe.js';
import { scoreCommand } from './score.js';
import { turnCommand } from './turn.js';

function makeProgram(): Command {
  const program = new Command('winnow')
    .description('Generate many, score all, keep the best.')
    .version(packageVersion())
    .showHelpAfterError('(add --help for the options)');
  for (const command of [
    ...[turnCommand, generateCommand, chatCommand, scoreCommand, batchCommand, recipeCommand, evalCommand],
    ...[pullCommand, listCommand, removeCommand, benchCommand, doctorCommand, buildCommand],
  ])
    program.addCommand(command);
  for (const command of [program, ...program.commands]) {
    command.copyInheritedSettings(program).exitOverride();
  }
  return program;
}

async function main(): Promise<void> {
  endWhenStdoutFails();
  try {
    await makeProgram().parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage; // It has been printed.
  }
}

void main();
