/** Prints how the house is built; ends with 1 where an arrow goes upward or in a circle. */
import { cruise, repositoryRoot } from './cruise.js';
import { HOUSES, planOf, shown, sound } from './structure.js';

const { sources, imports } = await cruise(repositoryRoot, ['libs', 'apps']);
const plans = HOUSES.map((house) => planOf(house, sources, imports));
for (const plan of plans) process.stdout.write(`${shown(plan)}\n`);
process.exitCode = plans.every(sound) ? 0 : 1;
