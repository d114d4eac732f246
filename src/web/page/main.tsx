import { render } from 'preact';
import { App } from './app.tsx';
import { chosenTheme, showTheme } from './theme.ts';
import './style/tokens.css';
import './style/base.css';
import './style/receipts.css';
import './style/forms.css';
import './style/site.css';
import './style/views.css';

showTheme(chosenTheme());

const root = document.getElementById('page');
if (root !== null) render(<App />, root);

// What needs HTTPS (opening without a network) is there with HTTPS only; over plain http nothing is missing but that.
if (location.protocol === 'https:' && 'serviceWorker' in navigator) {
  const build = encodeURIComponent(import.meta.url.split('/').pop() ?? '');
  navigator.serviceWorker.register(`./sw.js?${build}`).catch(() => undefined);
}
