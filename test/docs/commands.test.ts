import { describe } from 'node:test';
import { isOfReplay, showWhatHappens } from './show-what-happens.js';

describe('the commands that documents show', () => showWhatHappens((path) => !isOfReplay(path)));
