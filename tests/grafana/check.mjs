// node check.mjs MODULES
//
// Type-checks dashboards/*.json against Grafana's own types (@grafana/schema, in the folder MODULES): each dashboard as
// a whole, and each panel's options and custom fields as its kind of panel has them. An unknown key is an error too.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const modules = process.argv[2];
const boards = 'dashboards';
const work = join(modules, '..', 'checked');

// Grafana's names of the panels' types, by the type in the JSON.
const kinds = { stat: 'stat', table: 'table', timeseries: 'timeseries', 'state-timeline': 'statetimeline' };
// Panels whose type has custom fields, by the name of that type.
const customs = { table: 'TableFieldOptions', timeseries: 'FieldConfig', 'state-timeline': 'FieldConfig' };

const lines = [
  "import type * as common from '@grafana/schema';",
  // JSON holds an enum's value where the types name its member.
  'type Wire<T> = T extends string ? `${T}` : T extends number | boolean ? T : T extends (infer E)[] ? Wire<E>[] :',
  '  T extends object ? { [K in keyof T]: Wire<T[K]> } : T;',
];
for (const kind of Object.values(kinds)) {
  const path = `raw/composable/${kind}/panelcfg/x/types.gen`;
  lines.push(`import type * as ${kind} from '../node_modules/@grafana/schema/dist/types/${path}';`);
}

let checked = 0;
const declare = (type, value) => lines.push(`const value${checked++}: ${type} = ${JSON.stringify(value)};`);
for (const file of readdirSync(boards)) {
  const board = JSON.parse(readFileSync(join(boards, file)));
  lines.push(`// ${file}`);
  for (const annotation of board.annotations.list) {
    // What belongs to the datasource is not in Grafana's own types.
    for (const own of ['target', 'titleFormat', 'textFormat', 'useValueForTime']) delete annotation[own];
  }
  declare('Wire<common.Dashboard>', board);
  for (const panel of board.panels) {
    lines.push(`// ${file}: ${panel.title}`);
    declare(`Wire<${kinds[panel.type]}.Options>`, panel.options);
    if (panel.fieldConfig.defaults.custom) {
      declare(`Partial<Wire<${panel.type === 'table' ? 'common' : kinds[panel.type]}.${customs[panel.type]}>>`,
        panel.fieldConfig.defaults.custom);
    }
  }
}
mkdirSync(work, { recursive: true });
const source = join(work, 'dashboards.ts');
writeFileSync(source, lines.join('\n') + '\n');
const compiler = join(modules, '.bin', 'tsc');
execFileSync(compiler, ['--noEmit', '--strict', '--skipLibCheck', '--module', 'esnext', '--moduleResolution', 'bundler', source],
  { stdio: 'inherit' });
console.log(`${checked} values have Grafana's types`);
