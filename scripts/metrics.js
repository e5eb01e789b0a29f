// The table of docs/metrics.md, from the catalogue of the metrics.
import { importSource } from './source.js';

const HEAD = '| --- | --- | --- | --- |\n';
const END = '\n\n## Words';

/**
 * @param {string} page
 * @returns {Promise<string>} the page with its table as it is to be
 */
export async function withMetrics(page) {
  const { METRICS } = await importSource('metrics/catalogue.ts');
  /** @type {readonly import('../src/metrics/metric.ts').Metric[]} */
  const metrics = METRICS;
  const rows = metrics.map(({ name, type, labels, help }) => {
    const words = labels.map((label) => `\`${label}\``).join(', ');
    return `| \`${name}\` | ${type} | ${words} | ${help} |`;
  });
  const [begin, end] = [page.indexOf(HEAD) + HEAD.length, page.indexOf(END)];
  return page.slice(0, begin) + rows.join('\n') + page.slice(end);
}
