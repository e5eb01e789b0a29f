/** Lines over the last minutes. What they show is gathered while somebody looks. */
import { h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';

const HEIGHT = 150;
/** What is shown at least. */
const LEAST_SECONDS = 60;

function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString();
}

/** `series` is a list of `{label, color}`, `data` the times in seconds and then one list for each of them, `least` the least top. */
export function Chart({ title, series, data, format, least }) {
  const place = useRef(null);
  const plot = useRef(null);

  useEffect(() => {
    const host = place.current;
    const color = (name) => getComputedStyle(host).getPropertyValue(name).trim();
    const draw = () => {
      plot.current?.destroy();
      const axis = {
        stroke: color('--soft'),
        grid: { stroke: color('--line'), width: 1 },
        ticks: { show: false },
        font: '11px system-ui, sans-serif',
      };
      plot.current = new UPlot(
        {
          width: Math.max(200, host.clientWidth),
          height: HEIGHT,
          cursor: { y: false, drag: { x: false, y: false } },
          legend: { live: true },
          scales: {
            x: { range: (_plot, first, last) => [Math.min(first, last - LEAST_SECONDS), last] },
            y: { range: (_plot, _low, high) => [0, Math.max(least, (high ?? 0) * 1.1)] },
          },
          axes: [
            { ...axis, space: 90, values: (_plot, times) => times.map(clock) },
            { ...axis, size: 58, values: (_plot, values) => values.map((value) => format(value)) },
          ],
          series: [
            {},
            ...series.map(({ label, color: name }) => ({
              label,
              stroke: color(name),
              width: 2,
              points: { show: false },
              value: (_plot, value) => (value === null ? '–' : format(value)),
            })),
          ],
        },
        data,
        host,
      );
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

  return h('figure', { class: 'chart' }, h('figcaption', {}, title), h('div', { ref: place }));
}
