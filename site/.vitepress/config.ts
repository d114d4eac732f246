import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { defineConfig } from 'vitepress';

const REPOSITORY = 'https://github.com/hs110-mqtt/hs110-mqtt';

const page = (text: string, link: string) => ({ text, link });

const SIDEBAR = [
  {
    text: 'Begin',
    items: [
      page('Installation', '/installation'),
      page('Running it for years', '/operating'),
      page('More than one machine', '/scaling'),
      page('Configuration', '/configuration'),
      page('Coming from another bridge', '/migration'),
    ],
  },
  {
    text: 'Use',
    items: [
      page('The page', '/page'),
      page('Devices', '/devices'),
      page('MQTT', '/mqtt'),
      page('Energy and journal', '/energy'),
      page('Metrics and dashboards', '/metrics'),
    ],
  },
  {
    text: 'Neighbours',
    items: [
      page('Home Assistant', '/home-assistant'),
      page('Node-RED', '/node-red'),
      page('Homebridge', '/homebridge'),
      page('openHAB', '/openhab'),
      page('ioBroker', '/iobroker'),
      page('Domoticz', '/domoticz'),
      page('Brokers', '/brokers'),
    ],
  },
  {
    text: 'When something is wrong',
    items: [page('By symptom', '/troubleshooting'), page('Questions and answers', '/faq')],
  },
  {
    text: 'Inside',
    items: [
      page('How it works', '/how-it-works'),
      page('Performance', '/performance'),
      page('Words', '/glossary'),
    ],
  },
];

/** Pages of docs/ that are in none of the groups, by their headings. */
function more() {
  const docs = new URL('../../docs/', import.meta.url);
  const listed = new Set(SIDEBAR.flatMap(({ items }) => items.map(({ link }) => `${link.slice(1)}.md`)));
  const others = readdirSync(docs).filter((name) => /^(?!index).*\.md$/.test(name) && !listed.has(name));
  const items = others.map((name) => {
    const [, heading = name] = /^# (.*)$/m.exec(readFileSync(new URL(name, docs), 'utf8')) ?? [];
    return page(heading, `/${name.slice(0, -'.md'.length)}`);
  });
  return items.length === 0 ? [] : [{ text: 'More', items }];
}

/** The pages in docs/, which stand there as they are read in the repository; nothing is loaded from elsewhere. */
export default defineConfig({
  title: 'hs110-mqtt',
  description:
    'MQTT bridge for TP-Link Kasa HS110 smart plugs: local, confirmed, announced to Home Assistant',
  lang: 'en',
  base: process.env.DOCS_BASE ?? '/',
  // A copy of docs/, made by the script that builds: the packages are here.
  srcDir: 'pages',
  outDir: 'dist',
  cacheDir: 'node_modules/.cache',
  cleanUrls: true,
  markdown: {
    config: (markdown) => {
      const render =
        markdown.renderer.rules.link_open ??
        ((tokens, index, options, _, self) => self.renderToken(tokens, index, options));
      markdown.renderer.rules.link_open = (tokens, index, options, env, self) => {
        const token = tokens[index];
        const target = token?.attrGet('href') ?? '';
        // What is not in docs/ is in the repository.
        if (target.startsWith('../')) token?.attrSet('href', `${REPOSITORY}/blob/main/${target.slice(3)}`);
        return render(tokens, index, options, env, self);
      };
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: REPOSITORY }],
    outline: [2, 3],
    nav: [
      page('Install', '/installation'),
      page('Configure', '/configuration'),
      page('Trouble?', '/troubleshooting'),
    ],
    sidebar: [...SIDEBAR, ...more()],
    footer: { message: 'MIT licence. Not affiliated with TP-Link.' },
  },
});
