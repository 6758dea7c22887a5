import { describe } from 'node:test';
import { isOfReplay, showWhatHappens } from './show-what-happens.js';

describe('the commands that the documents of replay show', () => showWhatHappens(isOfReplay));
