/** Lines over the last minutes. What they show is gathered while somebody looks. */
import { h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import UPlot from 'uplot';

const HEIGHT = 150;
/** What is shown at least. */
const LEAST_SECONDS = 60;

/** No time so near to the beginning, in pixels: the numbers of the other axis are there. */
const CORNER = 20;

/** So many looks are also shown as points. */
const FEW = 5;

/** Hours, minutes, seconds, as short as they can be read. */
const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString(undefined, CLOCK);
}

/** Distances between the lines of an axis in bytes: powers of two, so that they are round in KiB. */
const BYTES = Array.from({ length: 42 }, (_, power) => 2 ** power);

function optionsOf({ host, series, format, least, isBytes, onPoint }) {
  const color = (name) => getComputedStyle(host).getPropertyValue(name).trim();
  const axis = {
    stroke: color('--soft'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    width: Math.max(200, host.clientWidth),
    height: HEIGHT,
    // The last time stands under the end of the line.
    padding: [8, 26, 0, 0],
    cursor: { y: false, drag: { x: false, y: false } },
    legend: { show: false },
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? undefined)] },
    scales: {
      x: { range: (_plot, first, last) => [Math.min(first, last - LEAST_SECONDS), last] },
      y: { range: (_plot, _low, high) => [0, Math.max(least, (high ?? 0) * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 24,
        space: 80,
        values: (plot, times) => times.map((at) => (plot.valToPos(at, 'x') < CORNER ? '' : clock(at))),
      },
      {
        ...axis,
        size: 58,
        ...(isBytes && { incrs: BYTES }),
        values: (_plot, values) => values.map((value) => format(value)),
      },
    ],
    series: [
      {},
      ...series.map(({ color: name }) => ({
        stroke: color(name),
        fill: `${color(name)}1a`,
        width: 2,
        // A line needs two looks.
        points: { show: ({ data }) => data[0].length <= FEW, size: 5 },
      })),
    ],
  };
}

/**
 * `series` is a list of `{label, color}`, `data` the times in seconds and then one list for each of them, `least` the least top. The
 * heading has the last values, or those under the pointer with their time.
 */
export function Chart({ title, series, data, format, least, isBytes = false }) {
  const place = useRef(null);
  const plot = useRef(null);
  const latest = useRef(data);
  const [point, setPoint] = useState();
  latest.current = data;

  useEffect(() => {
    const host = place.current;
    const draw = () => {
      plot.current?.destroy();
      const options = optionsOf({ host, series, format, least, isBytes, onPoint: setPoint });
      plot.current = new UPlot(options, latest.current, host);
    };
    draw();
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const resized = new ResizeObserver(() => {
      plot.current?.setSize({ width: Math.max(200, host.clientWidth), height: HEIGHT });
    });
    resized.observe(host);
    dark.addEventListener('change', draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener('change', draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);

  useEffect(() => plot.current?.setData(data), [data]);

  const shown = point ?? data[0].length - 1;
  const value = (index) => data[index + 1][shown] ?? undefined;
  return h('figure', { class: 'chart' }, [
    h('figcaption', {}, [
      h('span', {}, [title, point !== undefined && ` at ${clock(data[0][shown])}`]),
      h(
        'span',
        { class: 'legend' },
        series.map(({ label, color }, index) =>
          h('span', {}, [
            h('i', { style: { background: `var(${color})` } }),
            `${label} `,
            h('b', {}, value(index) === undefined ? '–' : format(value(index))),
          ]),
        ),
      ),
    ]),
    h('div', { ref: place, role: 'img', 'aria-label': title }),
  ]);
}
