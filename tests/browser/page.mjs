// page.mjs FLINKTAIL NODE_MODULES PICTURES
//
// The pages in a real Chromium, from the log line to the row: rows appear, what is appended to a log is shown without a
// reload, filters work, without JavaScript too, hostile names stay text, a keyboard is enough, axe-core finds nothing, and
// the console stays silent. Leaves pictures of the pages, light and dark, in the folder PICTURES.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const [flinktail, modules, pictures] = process.argv.slice(2);
const require = createRequire(resolve(modules) + "/");
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core/axe.min.js");

// Started as root and on a closed network, Chromium needs these.
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const PATIENCE = 20_000; // milliseconds for anything to happen; each thing takes one or two seconds
const MANY = 10_000;
const HOSTILE = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script> & "quoted" ' {{7*7}}`;

const folder = mkdtempSync(join(tmpdir(), "flinktail-page-"));
const log = join(folder, "logs", "prod-1", "jobmanager.log");
mkdirSync(join(folder, "logs", "prod-1"), { recursive: true });
mkdirSync(pictures, { recursive: true });

const id = (number) => number.toString(16).padStart(32, "0");
const line = (secondsAgo, logger, message) => {
  const at = new Date(Date.now() - secondsAgo * 1000).toISOString().replace("T", " ").replace(".", ",").replace("Z", "");
  return `${at} INFO  ${logger} [] - ${message}\n`;
};
const GRAPH = "org.apache.flink.runtime.executiongraph.ExecutionGraph";
const switched = (secondsAgo, number, name, from, to) =>
  line(secondsAgo, GRAPH, `Job ${name} (${id(number)}) switched from state ${from} to ${to}.`);

function writeFleet() {
  let text = "";
  const born = (secondsAgo, number, name) => (text += switched(secondsAgo, number, name, "CREATED", "RUNNING"));
  for (let number = 1000; number < 1000 + MANY; number++) born(7000, number, `load-${number}`);
  born(3600, 1, "orders");
  born(3500, 2, "payments");
  born(3400, 3, HOSTILE);
  text += line(1800, GRAPH, `Source: clicks (1/1) (${id(99)}_${id(98)}_0_0) switched from RUNNING to FAILED on 10.0.0.7:4 @ host.`) +
    "org.apache.flink.util.FlinkException: TaskExecutor akka.tcp://flink@10.0.0.7 is gone.\n\tat Some.code(Some.java)\n" +
    switched(1800, 1, "orders", "RUNNING", "RESTARTING");
  text += switched(900, 3, HOSTILE, "RUNNING", "FAILING") + switched(899, 3, HOSTILE, "FAILING", "FAILED");
  writeFileSync(log, text);
}

async function started() {
  const child = spawn(flinktail, ["watch", join(folder, "logs", "*", "jobmanager.log"), "--timezone", "UTC",
    "--web.listen-address", "127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"] });
  const said = createInterface(child.stderr);
  let address;
  await new Promise((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`flinktail ended with ${code}`)));
    said.on("line", (text) => {
      address ??= /http:\/\/[0-9.:]+/.exec(text)?.[0];
      if (text.includes("caught up")) resolve();
    });
  });
  return { child, address };
}

const step = (name) => console.log(`  ${name}`);
const rows = (page) => page.locator("tbody tr");
const row = (page, name) => rows(page).filter({ has: page.getByRole("link", { name, exact: true }) });

// Waits for a table of so many rows.
const shows = (page, count) =>
  page.waitForFunction((count) => document.querySelectorAll("tbody tr").length === count, count, { timeout: PATIENCE });

// No console message, no failed request, and no error: whatever the page does.
function watched(page) {
  const noise = [];
  page.on("console", (message) => noise.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => noise.push(String(error)));
  page.on("requestfailed", (request) => {
    // Leaving a page ends its stream of events.
    if (!request.url().endsWith("/events")) noise.push(`failed: ${request.url()}`);
  });
  return noise;
}

async function accessible(browser, address, path) {
  // The policy forbids scripts that are not the page's own: the checker needs a page without it.
  const context = await browser.newContext({ bypassCSP: true });
  for (const colorScheme of ["light", "dark"]) {
    const page = await context.newPage();
    await page.emulateMedia({ colorScheme });
    await page.goto(address + path);
    await page.addScriptTag({ path: axe });
    const found = await page.evaluate(() => window.axe.run());
    const words = found.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}\n${nodes[0].failureSummary}`);
    assert.deepEqual(words, [], `${path} (${colorScheme})`);
  }
  await context.close();
}

async function live(browser, address) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const noise = watched(page);
  await page.goto(address);
  await page.getByText("live", { exact: true }).waitFor({ timeout: PATIENCE });

  step("rows appear, those that need somebody first, a hundred at a time");
  await shows(page, 100);
  assert.match(await rows(page).nth(0).innerText(), /orders[\s\S]*prod-1[\s\S]*RESTARTING stuck[\s\S]*FlinkException/);
  assert.match(await rows(page).nth(1).innerText(), /FAILED/);
  assert.match(await page.locator(".tally").innerText(), /10,001\s*Running/);

  step("hostile names stay text");
  assert.equal((await rows(page).nth(1).getByRole("link").first().textContent()), HOSTILE);
  assert.equal(await page.locator("tbody img, tbody script").count(), 0);
  assert.match(await page.title(), /^1 stuck/);

  step("what is appended is shown without a reload, and the focus stays");
  await page.evaluate(() => (window.sameDocument = true));
  const focused = rows(page).nth(1).getByRole("link").first();
  await focused.focus();
  appendFileSync(log, switched(0, 1, "orders", "RESTARTING", "RUNNING") + switched(0, 2, "payments", "RUNNING", "FAILING"));
  await page.waitForFunction(() => document.querySelector("tbody tr:nth-child(2)").innerText.includes("FAILING"), null,
    { timeout: PATIENCE });
  assert.match(await rows(page).nth(1).innerText(), /payments/);
  assert.match(await page.locator(".tally").innerText(), /1\s*In transition/);
  assert.ok(await page.evaluate(() => window.sameDocument), "the page was loaded again");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), HOSTILE);

  step("the filter works as one types, and its address can be sent on");
  await page.getByLabel("Find").fill("load-1234");
  await shows(page, 1);
  assert.match(page.url(), /\?q=load-1234$/);
  await page.getByLabel("Find").fill("");
  await page.getByLabel("State").selectOption("FAILED");
  await shows(page, 1);
  assert.equal(await page.getByLabel("State").inputValue(), "FAILED");

  step("a job's page: its states drawn to scale, and the log line behind each");
  await page.goto(`${address}/?q=orders`);
  await row(page, "orders").getByRole("link", { name: "orders" }).click();
  await page.getByRole("heading", { name: "orders" }).waitFor();
  const widths = await page.locator(".timeline rect").evaluateAll((found) => found.map((rect) => rect.width.baseVal.value));
  // RUNNING for 1,800 s, RESTARTING for 1,800 s, RUNNING for a moment.
  assert.ok(widths.length === 3 && Math.abs(widths[0] / widths[1] - 1) < 0.05 && widths[2] < 30, String(widths));
  const transitions = rows(page);
  assert.equal(await transitions.count(), 3);
  assert.ok((await transitions.nth(0).innerText()).includes(log));
  assert.match(await transitions.nth(2).innerText(), /CREATED\s+RUNNING[\s\S]*log[\s\S]*byte [0-9,]+/);
  await page.getByText("TaskExecutor akka.tcp").waitFor();
  appendFileSync(log, switched(0, 1, "orders", "RUNNING", "RESTARTING"));
  await shows(page, 4);

  step("sources and rules");
  await page.getByRole("link", { name: "Sources" }).click();
  assert.match(await rows(page).nth(0).innerText(), /jobmanager\.log[\s\S]*prod-1[\s\S]*0 B/);
  await page.getByRole("link", { name: "Rules" }).click();
  assert.ok((await page.locator("td.number").allInnerTexts()).some((hits) => hits.startsWith("10,0")));

  step("a keyboard is enough");
  await page.goto(address);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.getByRole("link", { name: "Restarts" }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/sort=restarts/);
  assert.equal(await page.locator("th[aria-sort=ascending]").innerText(), "Restarts");

  assert.deepEqual(noise, [], "the console");
  await page.close();
}

async function withoutScripts(browser, address) {
  step("without JavaScript");
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(address);
  await page.getByLabel("Find").fill("payments");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.waitForURL(/q=payments/);
  assert.equal(await rows(page).count(), 1);
  await page.goto(address);
  await page.getByRole("link", { name: "Next" }).click();
  await page.getByText("101 to 200 of").waitFor();
  await page.goto(`${address}/?sort=-name`);
  assert.match(await rows(page).nth(0).innerText(), /^payments/);
  await context.close();
}

async function pictured(browser, address) {
  step("pictures");
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ colorScheme, viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    for (const [name, path] of [["fleet", "/"], ["job", `/entity?id=${id(1)}`], ["sources", "/sources"], ["rules", "/rules"]]) {
      await page.goto(address + path);
      await page.screenshot({ path: join(pictures, `${name}-${colorScheme}.png`) });
    }
    await context.close();
  }
}

writeFleet();
const { child, address } = await started();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
try {
  await live(browser, address);
  await withoutScripts(browser, address);
  step("axe-core finds nothing");
  for (const path of ["/", `/entity?id=${id(1)}`, "/sources", "/rules", "/entity?id=none"]) await accessible(browser, address, path);
  await pictured(browser, address);
} finally {
  await browser.close();
  child.removeAllListeners("exit");
  child.kill();
  rmSync(folder, { recursive: true });
}
