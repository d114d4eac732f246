import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** Builds the page for browsers from Safari 12 and Chrome 63 on: one script and one style sheet, all URLs relative. */
export default defineConfig({
  root: fileURLToPath(new URL('src/web/page', import.meta.url)),
  base: './',
  build: {
    outDir: fileURLToPath(new URL('dist/page', import.meta.url)),
    emptyOutDir: true,
    target: ['safari12', 'chrome63', 'es2017'],
    cssTarget: ['safari12', 'chrome63'],
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      input: {
        index: fileURLToPath(new URL('src/web/page/index.html', import.meta.url)),
        sw: fileURLToPath(new URL('src/web/page/sw.ts', import.meta.url)),
      },
      output: {
        entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
});
