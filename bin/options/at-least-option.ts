import type { Command } from 'commander';
import { positive, waiting, withDefault } from './option-values.js';

/** How far files that follow the log must be before a command reads them. */
export interface ReadAtLeastOptions {
  readonly atLeast?: number;
  readonly timeout: number;
}

/** `condition` ends with "up to this sequence". */
export const withAtLeastOptions = (command: Command, condition: string): Command =>
  command
    .option('--at-least <seq>', `wait until ${condition} up to this sequence`, positive('--at-least'))
    .addOption(
      withDefault('--timeout <duration>', 'with --at-least: how long to wait', waiting('--timeout'), '5s'),
    );
