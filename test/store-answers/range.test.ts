import { tryPlace } from './try-place.ts';

tryPlace('range', 'a part of a file over 8 MiB, answered with');
