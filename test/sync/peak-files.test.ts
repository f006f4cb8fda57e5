import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PeakFiles } from '../../src/sync/peak-files.ts';

const HOUR = 3_600_000;

describe('the most files of the last hour', () => {
  it('counts what is shown, however old it is', () => {
    const peaks = new PeakFiles();
    peaks.record(100, 0);
    assert.equal(peaks.peak(10 * HOUR), 100);
  });

  it('counts a generation until an hour after it was replaced', () => {
    const peaks = new PeakFiles();
    peaks.record(100, 0);
    peaks.record(60, 5 * HOUR);
    assert.equal(peaks.peak(6 * HOUR), 100);
    assert.equal(peaks.peak(6 * HOUR + 1), 60);
  });

  it('agrees with a list of everything that was ever shown', () => {
    const publications = fc.array(fc.record({ files: fc.nat(20), after: fc.nat(HOUR) }), { minLength: 1 });
    fc.assert(
      fc.property(publications, (steps) => {
        const peaks = new PeakFiles();
        const all: { files: number; until: number }[] = [];
        let now = 0;
        for (const { files, after } of steps) {
          now += after;
          const shown = all.at(-1);
          if (shown !== undefined) shown.until = now;
          all.push({ files, until: Number.POSITIVE_INFINITY });
          peaks.record(files, now);
          const most = Math.max(
            ...all.filter(({ until }) => until >= now - HOUR).map((entry) => entry.files),
          );
          assert.equal(peaks.peak(now), most);
        }
        assert.equal(new PeakFiles(peaks.entries()).peak(now), peaks.peak(now));
        const counts = peaks.entries().map((entry) => entry.files);
        assert.deepEqual(
          counts,
          [...new Set(counts)].sort((one, other) => other - one),
        );
      }),
    );
  });

  it('does not count an old generation for longer than an hour after the clock stepped back', () => {
    const peaks = new PeakFiles();
    peaks.record(100, 20 * HOUR);
    peaks.record(60, 21 * HOUR);
    assert.equal(peaks.peak(2 * HOUR), 100);
    assert.equal(peaks.peak(3 * HOUR + 1), 60);
  });
});
