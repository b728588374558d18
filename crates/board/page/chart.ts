/** Charts over the last half hour. Colours are the style's, also after the sun has set. */

import uPlot from 'uplot';
import { clock } from './format';
import { h, say, set } from './dom';

export interface Line {
  label: string;
  /** A custom property of the style, as `--out`. */
  colour: string;
  fill?: 'soft' | 'solid';
  dashed?: boolean;
}

export interface Chart {
  element: HTMLElement;
  /** `zone`: seconds east of Greenwich, for the hours below. `words`: what it says to who cannot see it. */
  update(seconds: number[], lines: (number | null)[][], zone: number | null, words: string): void;
  redraw(): void;
}

const HEIGHT = 152;
/** Seconds from edge to edge, also while less is known: a chart on a wall keeps its measure. */
const SPAN = 1_800;

function colour(name: string, alpha = ''): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() + alpha;
}

/** `format` writes values beside the pointer, `short` beside the axis; `most` is how high the scale is for the highest value. */
export function chart(lines: Line[], format: (value: number) => string, short: (value: number) => string, most: (max: number) => number): Chart {
  let zone: number | null = null;
  const legend = h('ul', { class: 'legend' });
  for (const line of lines) legend.append(h('li', {}, h('span', { class: 'swatch', 'data-colour': line.colour }), h('span', {}, line.label), h('output', { 'aria-hidden': 'true' })));
  const place = h('div', { class: 'plot', role: 'img', 'aria-label': '' });
  const element = h('figure', {}, place, legend);
  const readout = (index: number | null | undefined) => {
    lines.forEach((_, i) => {
      const value = index === null || index === undefined ? undefined : plot.data[i + 1]?.[index];
      say(legend.children[i]?.lastElementChild as Element, value === null || value === undefined ? '' : format(value));
    });
  };
  const axis: uPlot.Axis = {
    stroke: () => colour('--quiet'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  };
  const plot = new uPlot(
    {
      width: 320,
      height: HEIGHT,
      padding: [8, 18, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: true, range: (_, __, max) => [max - SPAN, max] }, y: { range: (_, __, max) => [0, most(max ?? 0)] } },
      axes: [
        { ...axis, size: 26, space: 70, values: (_, splits) => splits.map((at) => clock(at * 1000, zone)) },
        { ...axis, size: 48, space: 32, values: (_, splits) => splits.map(short) },
      ],
      series: [
        {},
        ...lines.map((line): uPlot.Series => ({
          label: line.label,
          stroke: () => colour(line.colour),
          width: line.dashed ? 1.5 : 2,
          ...(line.fill ? { fill: () => colour(line.colour, line.fill === 'soft' ? '30' : '') } : {}),
          ...(line.dashed ? { dash: [6, 5] } : {}),
          points: { show: false },
        })),
      ],
      hooks: { setCursor: [(self) => readout(self.cursor.idx)] },
    },
    [[], ...lines.map(() => [])],
    place,
  );
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT });
  }).observe(place);
  return {
    element,
    update(seconds, values, where, words) {
      zone = where;
      set(place, 'aria-label', words);
      // What is not drawn is not named.
      lines.forEach((_, i) => {
        (legend.children[i] as HTMLElement).hidden = values[i]?.every((value) => value === null) ?? true;
      });
      plot.setData([seconds, ...values]);
    },
    redraw: () => plot.redraw(false, true),
  };
}
