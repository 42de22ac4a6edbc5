// Draws a dashboard's panels with Grafana's own component library, in a browser. It is not Grafana: the state timeline,
// which that library does not export, is drawn here, and what needs a mouse is left out.

import React from "react";
import { createRoot } from "react-dom/client";
import { lastValueFrom } from "rxjs";
import {
  createTheme, dateTime, FieldType, getDisplayProcessor, getFieldDisplayName, standardTransformers, standardTransformersRegistry,
  ThemeContext, toDataFrame, transformDataFrame,
} from "@grafana/data";
import { BigValue, GlobalStyles, PanelChrome, Table, TimeSeries } from "@grafana/ui";
import "uplot/dist/uPlot.min.css";

const { board, answers, from, to, width } = window.PICTURE;
const theme = createTheme({ colors: { mode: "dark" } });
const GRID = { column: width / 24, row: 30, gap: 8 };

// Some stand there under two names.
const transformers = new Map(Object.values(standardTransformers).map((one) => [one.id, { id: one.id, transformation: async () => one, name: one.name }]));
standardTransformersRegistry.setInit(() => [...transformers.values()]);

const legend = (format, labels) => format?.replace(/{{\s*(\w+)\s*}}/g, (_, name) => labels[name] ?? "") || JSON.stringify(labels);

// One answer of Prometheus as Grafana's data source would hand it to a panel.
function frames(target, result, panel) {
  if (target.format === "table") {
    const names = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))];
    const column = (name) => ({ name, type: FieldType.string, config: {}, values: result.map(({ metric }) => metric[name] ?? "") });
    const valueName = panel.targets.length > 1 ? `Value #${target.refId}` : "Value";
    const value = { name: valueName, type: FieldType.number, config: {}, values: result.map((row) => Number(row.value[1])) };
    const time = { name: "Time", type: FieldType.time, config: {}, values: result.map((row) => row.value[0] * 1000) };
    return [toDataFrame({ refId: target.refId, fields: [time, ...names.map(column), value] })];
  }
  return result.map(({ metric, value, values = [value] }) => toDataFrame({
    refId: target.refId,
    fields: [
      { name: "Time", type: FieldType.time, config: {}, values: values.map(([at]) => at * 1000) },
      { name: "Value", type: FieldType.number, labels: metric, values: values.map(([, number]) => Number(number)),
        config: { displayNameFromDS: legend(target.legendFormat, metric) } },
    ],
  }));
}

async function dataOf(panel) {
  const raw = panel.targets.flatMap((target) => frames(target, answers[panel.id][target.refId], panel));
  const transformed = await lastValueFrom(transformDataFrame(panel.transformations ?? [], raw));
  let series = 0;
  for (const frame of transformed) {
    for (const field of frame.fields) {
      const name = getFieldDisplayName(field, frame);
      const { defaults, overrides } = panel.fieldConfig;
      field.config = { ...structuredClone(defaults), ...field.config };
      for (const { matcher, properties } of overrides) {
        if (matcher.id === "byName" && matcher.options === name) properties.forEach(({ id, value }) => set(field.config, id, value));
      }
      if (field.type === FieldType.number) field.state = { ...field.state, seriesIndex: series++ };
      field.display = getDisplayProcessor({ field, theme, timeZone: "utc" });
    }
  }
  return transformed;
}

// `custom.cellOptions` of a field's configuration.
function set(config, path, value) {
  const [first, second] = path.split(".");
  if (second) config[first] = { ...config[first], [second]: value };
  else config[first] = value;
}

function Stats({ panel, data, width, height }) {
  const fields = data.flatMap((frame) => frame.fields.filter((field) => field.type === FieldType.number));
  const values = fields.map((field) => {
    const title = panel.options.textMode.includes("name") ? field.config.displayNameFromDS : undefined;
    return { ...field.display(field.values[field.values.length - 1]), title };
  });
  const shown = values.length ? values.slice(0, 3) : [{ text: "No data", numeric: NaN }];
  return (
    <div style={{ display: "flex" }}>
      {shown.map((value, place) => (
        <BigValue key={place} value={value} width={width / shown.length} height={height} theme={theme} colorMode="value" graphMode="none" />
      ))}
    </div>
  );
}

function StateTimeline({ data, width, height }) {
  const names = data.map((frame) => frame.fields[1].config.displayNameFromDS);
  const left = 20 + 7 * Math.max(...names.map((name) => name.length)), bottom = 20;
  const row = Math.min(30, (height - bottom) / Math.max(data.length, 1));
  const x = (at) => left + ((at - from * 1000) / ((to - from) * 1000)) * (width - left);
  const ticks = [...Array(5).keys()].map((place) => from + ((place + 0.5) * (to - from)) / 5);
  return (
    <svg width={width} height={height} fontFamily={theme.typography.fontFamily} fontSize="12" fill={theme.colors.text.primary}>
      {data.map((frame, place) => {
        const [time, value] = frame.fields;
        const stretches = [];
        time.values.forEach((at, index) => {
          const last = stretches[stretches.length - 1];
          if (last && last.value === value.values[index]) last.to = at;
          else {
            if (last) last.to = at;
            stretches.push({ value: value.values[index], from: at, to: at });
          }
        });
        return (
          <g key={place} transform={`translate(0 ${place * row})`}>
            <text x={left - 8} y={row / 2 + 4} textAnchor="end">{names[place]}</text>
            {stretches.map((stretch, number) => {
              const { color, text } = value.display(stretch.value);
              const wide = Math.max(x(stretch.to) - x(stretch.from), 1);
              return (
                <g key={number}>
                  <rect x={x(stretch.from)} y="2" width={wide} height={row - 4} fill={color} fillOpacity="0.8" />
                  {wide > text.length * 8 + 8 && row > 14 && <text x={x(stretch.from) + 5} y={row / 2 + 4} fill="#fff">{text}</text>}
                </g>
              );
            })}
          </g>
        );
      })}
      {ticks.map((at) => (
        <text key={at} x={x(at * 1000)} y={height - 4} textAnchor="middle" fill={theme.colors.text.secondary}>
          {dateTime(at * 1000).utc().format("HH:mm:ss")}
        </text>
      ))}
    </svg>
  );
}

function Chart({ data, width, height }) {
  const range = { from: dateTime(from * 1000), to: dateTime(to * 1000), raw: { from: "", to: "" } };
  return (
    <TimeSeries frames={data} timeRange={range} timeZone="utc" width={width} height={height} structureRev={1}
      legend={{ displayMode: "list", placement: "bottom", showLegend: true, calcs: [] }} tweakAxis={(axis) => axis} />
  );
}

function Body({ panel, data, width, height }) {
  if (panel.type === "stat") return <Stats panel={panel} data={data} width={width} height={height} />;
  if (panel.type === "state-timeline") return <StateTimeline data={data} width={width} height={height} />;
  if (panel.type === "table") return data[0]?.length ? <Table data={data[0]} width={width} height={height} /> : <div>No data</div>;
  return data.length ? <Chart data={data} width={width} height={height} /> : <div>No data</div>;
}

function Board({ data }) {
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      {board.panels.map((panel) => {
        const { x, y, w, h } = panel.gridPos;
        const size = { width: w * GRID.column - GRID.gap, height: h * GRID.row - GRID.gap };
        return (
          <div key={panel.id} style={{ position: "absolute", left: x * GRID.column, top: y * GRID.row, ...size }}>
            <PanelChrome title={panel.title} {...size}>
              {(innerWidth, innerHeight) => <Body panel={panel} data={data.get(panel.id)} width={innerWidth} height={innerHeight} />}
            </PanelChrome>
          </div>
        );
      })}
    </ThemeContext.Provider>
  );
}

const data = new Map();
for (const panel of board.panels) data.set(panel.id, await dataOf(panel));
const lowest = Math.max(...board.panels.map(({ gridPos: { y, h } }) => y + h));
document.body.style.cssText = `margin:0;width:${width}px;height:${lowest * GRID.row}px;background:${theme.colors.background.canvas}`;
createRoot(document.getElementById("board")).render(<Board data={data} />);
