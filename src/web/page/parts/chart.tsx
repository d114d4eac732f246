import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { usePage } from '../page.ts';
import type { History } from '../wire.ts';

const HEIGHT = 200;

/**
 * Power over time as steps: between two readings nothing is made up. Gaps stay gaps. The figures are said in words for
 * those who do not see them.
 */
export function PowerChart({ history }: { readonly history: History }) {
  const { words, format, session } = usePage();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = place.current;
    if (box === null) return;
    const chart = new uPlot(
      optionsOf(box, words.power, session.site.timeZone, format.time),
      dataOf(history),
      box,
    );
    const fit = () => chart.setSize({ width: box.clientWidth, height: HEIGHT });
    window.addEventListener('resize', fit);
    return () => {
      window.removeEventListener('resize', fit);
      chart.destroy();
    };
  }, [history, words, format, session]);
  const most = Math.max(...history.points.map(([, , , max]) => max));
  const mean = history.points.reduce((sum, [, value]) => sum + value, 0) / history.points.length;
  const said = `${words.last24Hours}: ⌀ ${format.power(mean)}, max. ${format.power(most)}`;
  return <div class="chart" ref={place} role="img" aria-label={said} />;
}

/** Times, means and peaks; a hole of more than two steps is drawn as one. */
export function dataOf({ points, resolution }: History): [number[], (number | null)[]] {
  const times: number[] = [];
  const means: (number | null)[] = [];
  let last = Number.POSITIVE_INFINITY;
  for (const [time, mean] of points) {
    if (time - last > 2 * resolution) {
      times.push(last + resolution);
      means.push(null);
    }
    times.push(time);
    means.push(mean);
    last = time;
  }
  return [times, means];
}

function optionsOf(
  box: HTMLElement,
  label: string,
  timeZone: string,
  time: (ms: number) => string,
): uPlot.Options {
  const style = getComputedStyle(box);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour('--ink-soft'),
    font: `13px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
  };
  const steps = uPlot.paths.stepped?.({ align: 1 });
  return {
    width: box.clientWidth,
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), timeZone),
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { y: { range: (_chart, _min, max) => [0, Math.max(10, max * 1.1)] } },
    axes: [
      {
        ...axis,
        values: (_chart, seconds) => seconds.map((second) => time(second * 1000)),
        space: 70,
        size: 32,
      },
      { ...axis, values: (_chart, watts) => watts.map((watt) => `${watt} W`), size: 62 },
    ],
    series: [
      {},
      {
        label,
        stroke: colour('--ink'),
        fill: colour('--lamp-wash'),
        width: 2,
        points: { show: false },
        ...(steps === undefined ? {} : { paths: steps }),
      },
    ],
  };
}
