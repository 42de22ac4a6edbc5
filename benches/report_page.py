"""The page that `benches/report` writes: tables in Markdown, and plots as SVG without any library."""

import datetime
import math
import os
import platform
import subprocess

COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed")


def machine(root):
    """What the numbers were taken on."""

    def first(command, default="unknown"):
        ran = subprocess.run(command, shell=True, capture_output=True, text=True, check=False, cwd=root)
        return ran.stdout.strip() or default

    return {
        "cpu": first("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1", platform.machine()),
        "cores": len(os.sched_getaffinity(0)),
        "memory": first("awk '/MemTotal/ {printf \"%.0f GiB\", $2 / 1048576}' /proc/meminfo"),
        "kernel": platform.release(),
        "date": datetime.date.today().isoformat(),
        "commit": first("git rev-parse --short HEAD"),
        "ripgrep": first("rg --version | head -1", "not installed"),
    }


def write(results, out):
    """docs/performance.md and its plots."""
    plots = os.path.join(out, "performance")
    os.makedirs(plots, exist_ok=True)
    for name, (title, x, y, points) in curves(results).items():
        with open(os.path.join(plots, name + ".svg"), "w") as file:
            file.write(plot(title, x, y, points))
    with open(os.path.join(out, "performance.md"), "w") as file:
        file.write(page(results))


def curves(results):
    def only(points, *names):
        return [(x, {name: values[name] for name in values if name in names}) for x, values in points if x]

    return {
        "sizes": ("Catch-up against the size of the log", "MiB", "MB/s", results["sizes"]),
        "files": ("Catch-up against the number of files", "files", "MB/s", only(results["files"], "one core", "all cores", "rg, one core", "rg, all cores")),
        "rates": ("Catch-up against the share of transitions", "share of records", "MB/s", only(results["rates"], "MB/s")),
        "memory": ("Memory against jobs", "jobs", "MiB", only(results["entities"], "resident MiB")),
        "scrape": ("A scrape against jobs", "jobs", "ms", only(results["entities"], "scrape ms", "gzip ms", "static file ms")),
    }


def plot(title, x_name, y_name, points):
    """Lines over a logarithmic x, y from zero."""
    width, height, left, right, top, bottom = 720, 360, 70, 170, 40, 50
    xs = [math.log10(x) for x, _ in points]
    most = max(value for _, values in points for value in values.values()) * 1.05 or 1
    span = max(xs) - min(xs) or 1

    def place(x, y):
        return (
            left + (x - min(xs)) / span * (width - left - right),
            height - bottom - y / most * (height - top - bottom),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{left}" y="22" font-size="15">{title}</text>',
        f'<text x="{left}" y="{height - 10}">{x_name}</text>',
        f'<text x="8" y="{top - 2}">{y_name}</text>',
    ]
    for step in range(5):
        value = most * step / 4
        _, y = place(min(xs), value)
        parts.append(f'<path d="M{left} {y:.1f}H{width - right}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{number(value)}</text>')
    for x, (label, _) in zip(xs, points):
        at, _ = place(x, 0)
        parts.append(f'<text x="{at:.1f}" y="{height - bottom + 18}" text-anchor="middle">{number(label)}</text>')
    for colour, name in zip(COLOURS, points[-1][1]):
        line = [place(x, values[name]) for x, (_, values) in zip(xs, points) if name in values]
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
            + " ".join(f"{x:.1f},{y:.1f}" for x, y in line)
            + '"/>'
        )
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in line]
        legend = top + 18 * list(points[-1][1]).index(name)
        parts.append(f'<text x="{width - right + 12}" y="{legend}" fill="{colour}">{name}</text>')
    return "\n".join(parts) + "\n</svg>\n"


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in lines) + "\n"


def rows(points):
    names = list(points[-1][1])
    return names, [[number(x) if x else "0", *(number(values[name]) for name in names)] for x, values in points]


def page(results):
    about, caught = results["machine"], results["catch_up"]
    size, plain, packed = caught["size"], caught["plain"], caught["packed"]
    yardstick = plain.get("rg -c", (None,))[0]
    speeds = [
        [
            name,
            number(size / seconds / 1e6),
            f"{seconds:.3f}",
            f"{yardstick / seconds:.2f}" if yardstick else "",
            number(peak) if peak else "",
        ]
        for name, (seconds, peak) in plain.items()
    ]
    unpacked = [[name, f"{seconds:.2f}", number(size / seconds / 1e6)] for name, (seconds, _) in packed.items()]
    parts = [
        "# Performance\n",
        "Measured and written by `cargo build --release && benches/report`; what each stage costs, by `cargo bench`.\n",
        f"{about['cpu']}, {about['cores']} cores, {about['memory']}, Linux {about['kernel']}; {about['date']}, commit "
        f"{about['commit']}; {about['ripgrep']}; load average {' '.join(f'{load:.1f}' for load in results['load'])}.\n",
        "## Catch-up\n",
        f"One JobManager log of {size >> 20} MiB in the page cache, {caught['transitions']:,} transitions in it, from the "
        "start of the process until everything is on `/metrics`, with a state directory.\n",
        table(["", "MB/s", "seconds", "of `rg -c`", "peak MiB"], speeds),
        "The same log packed (`gzip -1`), in MB/s of what it holds:\n",
        table(["", "seconds", "MB/s"], unpacked),
    ]
    beside_rg = (
        "`rg -c` is given their directory: then it reads files, as we do; a single one it maps. How many times as fast it is on all "
        "cores is about what the machine has to give.\n"
    )
    for title, key, first, plots, note in (
        ("Against the size of the log (MB/s)", "sizes", "MiB", ["sizes"], ""),
        (
            f"Against the number of files ({size * 4 >> 20:,} MiB in all, MB/s)",
            "files",
            "files",
            ["files"],
            beside_rg if "rg, times" in results["files"][-1][1] else "",
        ),
        (f"Against the share of transitions ({size >> 21:,} MiB)", "rates", "share of records", ["rates"], ""),
        (
            "Jobs: memory and scrapes",
            "entities",
            "jobs",
            ["memory", "scrape"],
            "The static file server is Python's. Resident memory of many jobs includes what reading their log took.\n",
        ),
        ("Idle: quiet files", "idle", "files", [], ""),
    ):
        names, cells = rows(results[key])
        parts += [f"## {title}\n", table([first, *names], cells), *([note] if note else [])]
        parts += [f"![{title}](performance/{plot}.svg)\n" for plot in plots]
    parts += [
        "## Latency\n",
        f"From a line's write to the scrape that shows it, with a state directory: {results['latency']['p50']:.1f} ms (p50), "
        f"{results['latency']['p99']:.1f} ms (p99). One commit to the disk is part of it: what is shown is durable.\n",
    ]
    return "\n".join(parts)
