import { tryPlace } from './try-place.ts';

tryPlace('listing', 'a listing, answered with');
