import { defineConfig } from 'vitest/config';

/** What starts browsers and other large programs: beside them the timing of a bridge would be tested on a busy machine. */
const LARGE = ['test/page/**', 'test/examples/**', 'test/container/**'];

export default defineConfig({
  test: {
    globalSetup: ['test/support/build-page.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'text'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'bridge',
          include: ['test/**/*.test.ts'],
          exclude: LARGE,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'large',
          include: LARGE.map((folder) => `${folder}/*.test.ts`),
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
