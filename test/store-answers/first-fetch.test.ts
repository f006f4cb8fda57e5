import { tryPlace } from './try-place.ts';

tryPlace('first', 'content of the first tree, answered with');
