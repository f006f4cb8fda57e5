import { tryPlace } from './try-place.ts';

tryPlace('later', 'content of a file that changed, answered with');
