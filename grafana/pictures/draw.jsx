// Draws the dashboards with the components that Grafana publishes on npm, from answers in
// window.DATA. Not Grafana itself: the frame, the layout and the state timeline, of which no
// component is published, are drawn here.
import React from 'react';
import { createRoot } from 'react-dom/client';
import { lastValueFrom } from 'rxjs';

// Required, not imported: the packages' CommonJS builds find the defaults of what they use.
const {
  createTheme, dateTime, FieldType, getDisplayProcessor, standardTransformers,
  standardTransformersRegistry, ThemeContext, toDataFrame, transformDataFrame,
} = require('@grafana/data');
const {
  BarGauge, BigValue, GlobalStyles, Table, TimeSeries, VizRepeater,
} = require('@grafana/ui');

const theme = createTheme({ colors: { mode: 'dark' } });
const WIDTH = 1600, ROW = 34, GAP = 8;
const used = ['merge', 'organize', 'filterFieldsByName'];
standardTransformersRegistry.setInit(() =>
  Object.values(standardTransformers)
    .filter((each) => used.includes(each.id))
    .map((transformation) => ({ id: transformation.id, name: transformation.name, transformation })));

function set(target, path, value) {
  const keys = path.split('.');
  const last = keys.pop();
  const inner = keys.reduce((at, key) => (at[key] ??= {}), target);
  inner[last] = value;
}

function matches(matcher, field, frame, name) {
  if (matcher.id === 'byName') { return name === matcher.options; }
  if (matcher.id === 'byFrameRefID') { return frame.refId === matcher.options; }
  if (matcher.id === 'byRegexp') { return new RegExp(matcher.options).test(name); }
  return false;
}

// What applyFieldOverrides does, for what these dashboards use: Grafana's own needs registries that
// only its application fills.
function configured(frames, panel) {
  let index = 0;
  for (const frame of frames) {
    for (const field of frame.fields) {
      const name = field.config.displayName ?? field.name;
      const config = structuredClone(panel.fieldConfig.defaults);
      config.displayName = field.config.displayName;
      config.thresholds?.steps.forEach((step) => (step.value ??= -Infinity));
      for (const override of panel.fieldConfig.overrides) {
        if (matches(override.matcher, field, frame, name)) {
          override.properties.forEach((each) => set(config, each.id, each.value));
        }
      }
      field.config = field.type === FieldType.time ? {} : config;
      if (field.type !== FieldType.time) { field.state = { seriesIndex: index++, displayName: name }; }
      field.display = getDisplayProcessor({ field, theme, timeZone: 'utc' });
      field.getLinks = () => [];
    }
  }
  return frames;
}

function legend(format, labels) {
  return format.replace(/\{\{(\w+)\}\}/g, (_, name) => labels[name] ?? '').trim();
}

function seriesFrames(panel, answers) {
  return answers.flatMap(({ refId, legendFormat, series }) => series.map(({ metric, points }) =>
    toDataFrame({
      refId,
      fields: [
        { name: 'Time', type: FieldType.time, values: points.map(([at]) => at * 1000) },
        { name: 'Value', type: FieldType.number, labels: metric,
          config: { displayName: legend(legendFormat, metric) },
          values: points.map(([, value]) => (value === null ? null : Number(value))) },
      ],
    })));
}

function tableFrames(answers) {
  return answers.map(({ refId, series }) => {
    const names = [...new Set(series.flatMap(({ metric }) => Object.keys(metric)))];
    const last = series.map(({ points }) => points[points.length - 1]);
    return toDataFrame({
      refId,
      fields: [
        { name: 'Time', type: FieldType.time, values: last.map(([at]) => at * 1000) },
        ...names.map((name) => ({ name, type: FieldType.string,
          values: series.map(({ metric }) => metric[name]) })),
        { name: `Value #${refId}`, type: FieldType.number,
          values: last.map(([, value]) => Number(value)) },
      ],
    });
  });
}

function lastValues(frames) {
  return frames.map((frame) => {
    const field = frame.fields[1];
    return { field, display: { ...field.display(field.values[field.values.length - 1]),
      title: field.config.displayName } };
  });
}

function Stats({ frames, panel, width, height }) {
  const values = lastValues(frames).map(({ display }) => display);
  return (
    <VizRepeater
      source={values} getValues={() => values} width={width} height={height}
      orientation="auto" renderCounter={0} itemSpacing={3}
      renderValue={({ value, width, height, count }) => (
        <BigValue value={value} width={width} height={height} count={count} theme={theme}
          colorMode={panel.options.colorMode} graphMode="none" justifyMode="auto"
          textMode={panel.options.textMode} />
      )} />
  );
}

function Bars({ frames, panel, width, height }) {
  const values = lastValues(frames);
  const most = panel.fieldConfig.defaults.max
    ?? Math.max(...values.map(({ display }) => display.numeric), 0);
  const title = Math.min(360, width / 2);
  return (
    <VizRepeater
      source={values} getValues={() => values} width={width} height={height}
      orientation="horizontal" renderCounter={0} itemSpacing={6}
      renderValue={({ value: { field, display }, width, height }) => (
        <BarGauge value={display} width={width} height={height} theme={theme} itemSpacing={6}
          field={{ ...field.config, min: 0, max: most }} display={field.display}
          orientation="horizontal" displayMode={panel.options.displayMode}
          namePlacement="left" showUnfilled
          text={{ titleSize: 12, valueSize: 13 }}
          alignmentFactors={{ title: 'm'.repeat(Math.floor(title / 9)), text: display.text }} />
      )} />
  );
}

function Lines({ frames, panel, width, height, range }) {
  return (
    <TimeSeries frames={frames} width={width} height={height} timeRange={range} timeZone="utc"
      legend={panel.options.legend} options={panel.options} structureRev={1} />
  );
}

function States({ frames, width, height, range }) {
  const from = range.from.valueOf(), span = range.to.valueOf() - from;
  const tall = height / Math.max(1, frames.length);
  return frames.map((frame, number) => {
    const [time, field] = frame.fields;
    // Equal neighbours are one bar, as Grafana draws them.
    const begins = time.values.map((_, index) => index)
      .filter((index) => index === 0 || field.values[index] !== field.values[index - 1]);
    return (
      <div key={number} style={{ display: 'flex', height: tall, lineHeight: `${tall * 0.8}px`,
        fontSize: 12 }}>
        <div style={{ width: 200 }}>{field.config.displayName}</div>
        <div style={{ position: 'relative', flex: 1 }}>
          {begins.map((index, bar) => {
            const shown = field.display(field.values[index]);
            const at = time.values[index];
            const next = time.values[begins[bar + 1] ?? time.values.length - 1];
            const part = (100 * (next - at)) / span;
            const left = (100 * (at - from)) / span;
            return <div key={at} style={{ position: 'absolute', left: `${left}%`, height: tall * 0.8,
              width: `${part}%`, background: shown.color, opacity: 0.8 }} />;
          })}
          <div style={{ position: 'absolute', right: 8 }}>
            {field.display(field.values[field.values.length - 1]).text}
          </div>
        </div>
      </div>
    );
  });
}

function Rows({ frames, panel, width, height }) {
  return <Table data={frames[0]} width={width} height={height} cellHeight={panel.options.cellHeight}
    initialSortBy={panel.options.sortBy} />;
}

const KINDS = { stat: Stats, bargauge: Bars, timeseries: Lines, 'state-timeline': States, table: Rows };

class Guard extends React.Component {
  state = {};
  static getDerivedStateFromError(error) { return { error }; }
  render() {
    return this.state.error ? <pre>{`cannot be drawn: ${this.state.error}`}</pre> : this.props.children;
  }
}

function place({ x, y, w, h }) {
  const column = WIDTH / 24;
  return { position: 'absolute', left: x * column, top: y * ROW + 40,
    width: w * column - GAP, height: h * ROW - GAP };
}

function Panel({ panel, frames, range }) {
  const box = place(panel.gridPos);
  const Kind = KINDS[panel.type];
  const empty = !frames.length || !frames[0].fields.length;
  return (
    <section style={{ ...box, background: theme.colors.background.primary, padding: '0 8px',
      border: `1px solid ${theme.colors.border.weak}`, borderRadius: 2, overflow: 'hidden' }}>
      <h6 style={{ height: 32, lineHeight: '32px', margin: 0 }}>{panel.title}</h6>
      <Guard>
        {empty ? panel.fieldConfig.defaults.noValue
          : <Kind frames={frames} panel={panel} range={range}
              width={box.width - 18} height={box.height - 42} />}
      </Guard>
    </section>
  );
}

async function framesOf(panel, answers) {
  let frames = panel.type === 'table' ? tableFrames(answers) : seriesFrames(panel, answers);
  if (panel.transformations?.length) {
    frames = await lastValueFrom(transformDataFrame(panel.transformations, frames));
  }
  return configured(frames, panel);
}

async function draw({ dashboard, answers, from, to }) {
  const range = { from: dateTime(from * 1000), to: dateTime(to * 1000), raw: { from, to } };
  const drawn = [];
  for (const panel of dashboard.panels) {
    drawn.push([panel, panel.type === 'row' ? [] : await framesOf(panel, answers[panel.id])]);
  }
  createRoot(document.getElementById('root')).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <h4 style={{ margin: '8px 4px' }}>{dashboard.title}</h4>
      {drawn.map(([panel, frames]) => panel.type === 'row'
        ? <h5 key={panel.id} style={{ ...place(panel.gridPos), margin: 0 }}>{panel.title}</h5>
        : <Panel key={panel.id} panel={panel} frames={frames} range={range} />)}
    </ThemeContext.Provider>,
  );
}

draw(window.DATA).catch((error) => { document.body.textContent = String(error.stack); });
