import { tryPlace } from './try-place.ts';

tryPlace('listing', 'an answer to LIST that is');
