import './charts.css';
import { useMemo } from 'preact/hooks';
import { Chart } from './chart.js';
import { depthPlot, outcomePlot, throughputPlot, waitPlot } from './plot.js';
import { steps } from './steps.js';

const plots = [depthPlot, waitPlot, throughputPlot, outcomePlot];

/** The last hour of a type. */
export function Charts({ type }: { type: string }) {
  const current = steps.value;
  const shown = useMemo(() => plots.map((plotOf) => plotOf(type, current)), [type, current]);
  return (
    <div class="charts">
      {shown.map((plot) => (
        <Chart key={plot.title} plot={plot} />
      ))}
    </div>
  );
}
