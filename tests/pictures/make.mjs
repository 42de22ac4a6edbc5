// make.mjs FLINKTAIL NODE_MODULES
//
// Makes the pictures of the README anew, into docs/images: `flinktail demo` runs, a real Prometheus scrapes it for some
// minutes and evaluates the recording rules, its answers to the dashboards' own expressions are drawn (see draw.jsx), and
// the page is photographed. Needs prometheus and chromium; not part of tests/run, since Grafana's library is half a gigabyte:
//
//   npm ci --prefix tests/pictures --ignore-scripts && node tests/pictures/make.mjs target/release/flinktail tests/pictures/node_modules

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const [flinktail, modules] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const require = createRequire(resolve(modules) + "/");
const { chromium } = require("playwright-core");

const MINUTES = 6; // scraped before the pictures are made
const WIDTH = 1400;
const DEMO = "127.0.0.1:19250";
const PROMETHEUS = "127.0.0.1:19251";
// What Grafana would put in, for one job in depth too.
const VARIABLES = { $__rate_interval: "1m", $__range: `${MINUTES}m`, $job_name: "clickstream", $job: "flinktail", $instance: ".+", $cluster: ".+" };

async function ask(query) {
  const answer = await (await fetch(`http://${PROMETHEUS}/api/v1/${query}`)).json();
  if (answer.status !== "success") throw new Error(`${query}: ${answer.error}`);
  return answer.data.result;
}

async function answersOf(board, from, to) {
  const answers = {};
  for (const panel of board.panels) {
    answers[panel.id] = {};
    for (const { refId, expr, instant } of panel.targets) {
      let query = expr;
      for (const [name, value] of Object.entries(VARIABLES)) query = query.replaceAll(name, value);
      const asked = encodeURIComponent(query);
      answers[panel.id][refId] = await (instant
        ? ask(`query?query=${asked}&time=${to}`)
        : ask(`query_range?query=${asked}&start=${from}&end=${to}&step=2`));
    }
  }
  return answers;
}

// Their ES modules do not get along with what they import.
const grafana = {
  name: "grafana",
  setup: ({ onResolve }) => onResolve({ filter: /^@grafana\/(data|ui|schema)(\/unstable)?$/ }, ({ path }) => {
    const [, name, part = "index"] = path.split("/");
    return { path: resolve(modules, "@grafana", name, "dist/cjs", `${part}.cjs`) };
  }),
};

const folder = mkdtempSync(join(tmpdir(), "flinktail-pictures-"));
const children = [];
const start = (command, ...args) => {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
  child.once("exit", (code) => code && process.exit(code));
  children.push(child);
};
try {
  const config = {
    global: { scrape_interval: "2s", evaluation_interval: "2s" },
    rule_files: [`${root}/rules/recording/*.yml`],
    scrape_configs: [{ job_name: "flinktail", static_configs: [{ targets: [DEMO] }] }],
  };
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify(config));
  start(flinktail, "demo", "--web.listen-address", DEMO, "--log.level", "warn");
  start("prometheus", "--config.file", join(folder, "prometheus.yml"), "--storage.tsdb.path", join(folder, "series"),
    "--web.listen-address", PROMETHEUS, "--log.level", "warn");
  await pause(MINUTES * 60_000);

  const to = Math.floor(Date.now() / 1000);
  const from = to - MINUTES * 60;
  await require("esbuild").build({
    entryPoints: [join(here, "draw.jsx")], outfile: join(folder, "draw.js"), bundle: true, minify: true, format: "esm",
    nodePaths: [resolve(modules)], jsx: "automatic",
    plugins: [grafana],
    loader: { ".ttf": "dataurl", ".woff2": "dataurl", ".svg": "dataurl" },
    define: { "process.env.NODE_ENV": '"production"', global: "globalThis" }, logLevel: "error",
  });
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu",
    "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 900 } });
  page.on("pageerror", (error) => console.error(String(error)));
  for (const name of ["fleet", "job"]) {
    const board = JSON.parse(readFileSync(join(root, "dashboards", `${name}.json`)));
    const picture = JSON.stringify({ board, answers: await answersOf(board, from, to), from, to, width: WIDTH });
    writeFileSync(join(folder, `${name}.html`), `<!DOCTYPE html><meta charset="utf-8"><style>${readFileSync(join(folder, "draw.css"))}</style><body><div id="board"></div>
      <script>window.PICTURE = ${picture.replaceAll("<", "\\u003c")}</script><script type="module">${readFileSync(join(folder, "draw.js"), "utf8").replaceAll("</script", "<\\/script")}</script>`);
    await page.goto(`file://${folder}/${name}.html`);
    await page.waitForTimeout(3000);
    await page.screenshot({ path: join(root, "docs/images", `dashboard-${name}.png`), fullPage: true });
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(`http://${DEMO}/`);
  await page.getByText("live", { exact: true }).waitFor();
  await page.screenshot({ path: join(root, "docs/images/page.png") });
  await page.goto(`http://${DEMO}/?q=clickstream`);
  await page.getByRole("link", { name: "clickstream" }).click();
  await page.getByRole("link", { name: "15 minutes" }).click();
  await page.screenshot({ path: join(root, "docs/images/page-job.png") });
  await browser.close();
} finally {
  for (const child of children) child.kill("SIGINT");
  await Promise.all(children.map((child) => child.exitCode ?? new Promise((ended) => child.once("exit", ended))));
  rmSync(folder, { recursive: true });
}
