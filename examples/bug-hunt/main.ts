import { spawnSync } from 'node:child_process';
import { connect } from 'tallystick';
import loyalty from './modules/loyalty.ts';

/** Shows a command, and runs it as you would. */
const run = (why: string, ...args: readonly string[]): void => {
  console.log(`\n${why}\n$ tallystick ${args.join(' ')}`);
  const { stdout, stderr } = spawnSync('npx', ['tallystick', ...args], { encoding: 'utf8' });
  console.log(`${stdout}${stderr}`.trimEnd());
};

await using tally = await connect();
const vera = tally.agent(loyalty, 'vera');

console.log('One day brings these commands.');
console.log('vera buys for 900:', await vera.buy({ amount: 900 }));
console.log('vera buys for 200:', await vera.buy({ amount: 200 }));
console.log('vera gives back the 900:', await vera.give_back({ amount: 900 }));

run('Vera complains: she has a negative number of points.', 'agent', 'get', 'loyalty', 'vera');
run('Since when?', 'replay', 'state', 'loyalty', 'vera', '--bisect', 'state.points < 0');
run(
  'Why? The 900 earned 90 points, and 180 were taken back.',
  'replay',
  'state',
  'loyalty',
  'vera',
  '--step',
);
run(
  'What would the fix have done on the commands of that day?',
  'replay',
  'diff',
  'loyalty',
  '--module',
  './fixed/loyalty.ts',
);
run('The fix goes in while the broker runs.', 'module', 'reload', 'loyalty', './fixed/loyalty.ts');

const nora = tally.agent(loyalty, 'nora');
await nora.buy({ amount: 900 });
await nora.buy({ amount: 200 });
console.log('\nnora gives back her 900:', await nora.give_back({ amount: 900 }));
run('And nothing was lost, duplicated or changed.', 'replay', 'verify');
