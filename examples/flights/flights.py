"""The solution owner's program: delay statistics of flights, by airport and by hour, and a chart.

Reads the data owner's columns (convert.mjs says which) from /sp/inputs/1 and writes to /sp/output
by_airport.csv, by_hour.csv, airport_hour.csv, summary.json and chart.svg.

All statistics are exact: they come from integer histograms of the delay. The rounding rules:
  mean    two decimals, share: percent with two decimals; both rounded half away from zero
  median  one decimal (the mean of the two middle values is exact at one decimal)
  p90     the nearest rank: the smallest delay that at least 90 % of the flights don't exceed
The same data and arguments give the same bytes.
"""

import argparse
import json
import math
import os
import sys
import time
import unicodedata
from xml.sax.saxutils import escape, quoteattr

import numpy as np

INPUT = os.path.join(os.environ.get("SP_INPUTS", "/sp/inputs"), "1")
OUTPUT = os.environ.get("SP_OUTPUT", "/sp/output")

HOURS = 24
LATE_MINUTES = 15  # a flight is late when its delay is above this
CHUNK_ROWS = 500_000  # rows looked at in one step: bounds the memory
HISTOGRAM_CELLS_MAX = 32_000_000  # airports x different delays; 256 MB
TITLE_MAX = 120
TOP_MAX = 60
COLUMNS = {
    "minutes": np.dtype("<i4"),
    "delay": np.dtype("<i2"),
    "origin": np.dtype("<u2"),
}


class InputError(Exception):
    """The data or the arguments aren't what this program can work on."""


# ---- reading and counting -----------------------------------------------------------------


def load(folder):
    """Maps the columns and returns them with the airports' codes, all checked."""
    columns = {}
    for name, dtype in COLUMNS.items():
        path = os.path.join(folder, name + ".npy")
        try:
            column = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise InputError(f"can't read {path}: {error}") from error
        if column.dtype != dtype or column.ndim != 1:
            raise InputError(f"{path}: one dimension of {dtype} expected, not {column.dtype}")
        columns[name] = column
    if len({len(column) for column in columns.values()}) != 1 or len(columns["delay"]) == 0:
        raise InputError("the columns differ in length or are empty")
    with open(os.path.join(folder, "airports.txt"), encoding="ascii") as file:
        airports = file.read().split()
    if int(columns["origin"].max()) >= len(airports):
        raise InputError("a flight's origin isn't in airports.txt")
    return columns, airports


class Counts:
    """Histograms of the delay (column j counts a delay of low + j minutes), and sums."""

    def __init__(self, columns, airports):
        delay, origin, minutes = columns["delay"], columns["origin"], columns["minutes"]
        self.low = int(delay.min())
        self.width = int(delay.max()) - self.low + 1
        places = len(airports)
        if places * self.width > HISTOGRAM_CELLS_MAX:
            raise InputError(f"{places} airports with {self.width} delays are too many to count")
        self.by_airport = np.zeros(places * self.width, np.int64)
        self.by_hour = np.zeros(HOURS * self.width, np.int64)
        cells = places * HOURS
        self.cell_flights = np.zeros(cells, np.int64)
        self.cell_delay = np.zeros(cells, np.int64)
        for start in range(0, len(delay), CHUNK_ROWS):
            part = slice(start, start + CHUNK_ROWS)
            late = delay[part].astype(np.int64) - self.low
            place = origin[part].astype(np.int64)
            hour = minutes[part].astype(np.int64) // 60 % HOURS
            cell = place * HOURS + hour
            self.by_airport += np.bincount(place * self.width + late, minlength=places * self.width)
            self.by_hour += np.bincount(hour * self.width + late, minlength=HOURS * self.width)
            self.cell_flights += np.bincount(cell, minlength=cells)
            # Weights are doubles, exact here: a chunk's sum stays far below 2^53.
            sums = np.bincount(cell, weights=late, minlength=cells)
            self.cell_delay += sums.astype(np.int64)
        self.by_airport = self.by_airport.reshape(places, self.width)
        self.by_hour = self.by_hour.reshape(HOURS, self.width)
        self.cell_delay += self.low * self.cell_flights


# ---- statistics ---------------------------------------------------------------------------


def fixed(numerator, denominator, places):
    """numerator / denominator as decimal text, rounded half away from zero."""
    scale = 10**places
    value = (2 * abs(numerator) * scale + denominator) // (2 * denominator)
    sign = "-" if numerator < 0 and value else ""
    return f"{sign}{value // scale}.{value % scale:0{places}d}"


def statistics(histogram, low):
    """Count, sum and late flights as integers; mean, median, p90 and share as text."""
    flights = int(histogram.sum())
    if flights == 0:
        return {"flights": 0, "sum": 0, "late": 0, "mean": "", "median": "", "p90": "", "share": ""}
    total = int((histogram * np.arange(low, low + len(histogram))).sum())
    late = int(histogram[max(LATE_MINUTES + 1 - low, 0) :].sum())
    reached = np.cumsum(histogram)

    def ranked(rank):  # the delay of that rank, from 1, in order of size
        return low + int(np.searchsorted(reached, rank))

    middle = ranked((flights + 1) // 2) + ranked(flights // 2 + 1)
    return {
        "flights": flights,
        "sum": total,
        "late": late,
        "mean": fixed(total, flights, 2),
        "median": fixed(middle, 2, 1),
        "p90": str(ranked((9 * flights + 9) // 10)),
        "share": fixed(100 * late, flights, 2),
    }


def airport_rows(counts, airports, min_flights):
    """(code number, code, statistics) of each listed airport, the busiest first."""
    rows = []
    for number, airport in enumerate(airports):
        stats = statistics(counts.by_airport[number], counts.low)
        if stats["flights"] >= min_flights:
            rows.append((number, airport, stats))
    return sorted(rows, key=lambda row: (-row[2]["flights"], row[1]))


def cell_mean(counts, number, hour):
    """(flights, mean delay as text or "") of one airport in one hour."""
    cell = number * HOURS + hour
    flights = int(counts.cell_flights[cell])
    return flights, fixed(int(counts.cell_delay[cell]), flights, 2) if flights else ""


# ---- tables -------------------------------------------------------------------------------

STATISTICS_HEADER = "flights,mean_delay_min,median_delay_min,p90_delay_min,late_share_pct"


def table_line(first, stats):
    keys = ("flights", "mean", "median", "p90", "share")
    return ",".join([first] + [str(stats[key]) for key in keys])


def write(name, text):
    with open(os.path.join(OUTPUT, name), "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def write_tables(counts, listed, hours, top):
    lines = ["airport," + STATISTICS_HEADER]
    lines += [table_line(airport, stats) for _, airport, stats in listed]
    write("by_airport.csv", "\n".join(lines) + "\n")
    lines = ["hour," + STATISTICS_HEADER]
    lines += [table_line(str(hour), stats) for hour, stats in enumerate(hours)]
    write("by_hour.csv", "\n".join(lines) + "\n")
    lines = ["airport,hour,flights,mean_delay_min"]
    for number, airport, _ in listed[:top]:
        for hour in range(HOURS):
            flights, mean = cell_mean(counts, number, hour)
            lines.append(f"{airport},{hour},{flights},{mean}")
    write("airport_hour.csv", "\n".join(lines) + "\n")


def write_summary(arguments, airports, listed, overall, period):
    def numbers(stats):
        return {
            "flights": stats["flights"],
            "mean_delay_min": float(stats["mean"]),
            "median_delay_min": float(stats["median"]),
            "p90_delay_min": int(stats["p90"]),
            "late_share_pct": float(stats["share"]),
        }

    # Exact comparison of means: by the fraction, not by its rounded text.
    def order(row):
        return row[2]["sum"] * 10**12 // row[2]["flights"], row[1]

    summary = {
        "title": arguments.title,
        "min_flights": arguments.min_flights,
        "top": arguments.top,
        "late_means_above_min": LATE_MINUTES,
        "first_departure": period[0],
        "last_departure": period[1],
        "airports": len(airports),
        "airports_listed": len(listed),
        "all": numbers(overall),
        "least_delayed_airport": min(listed, key=order)[1] if listed else None,
        "most_delayed_airport": max(listed, key=order)[1] if listed else None,
    }
    write("summary.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n")


# ---- chart --------------------------------------------------------------------------------

INK, FAINT, GRID, PAPER = "#22303c", "#6b7a88", "#e3e7eb", "#ffffff"
BAR, BAR_THIN = "#3a6ea5", "#b9cbe0"
FONT = "Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif"
LEFT, CELL_W, CELL_H = 76, 42, 22
WIDTH = LEFT + HOURS * CELL_W + 40
BARS_TOP, BARS_H = 138, 220
CELL_FLIGHTS_MIN = 20  # a mean over fewer flights is drawn as a blank cell
THIN_SHARE = 100  # an hour with less than 1/100 of an average hour's flights gets a pale bar
# Mean delay in minutes and its colour; between two of them the colour is blended.
RAMP = [
    (-10, (49, 104, 173)),
    (0, (244, 246, 244)),
    (10, (253, 205, 133)),
    (25, (232, 96, 57)),
    (50, (128, 14, 38)),
]


def blend(mean):
    """(colour, true when dark) of a mean delay."""
    mean = min(max(mean, RAMP[0][0]), RAMP[-1][0])
    for (low, first), (high, last) in zip(RAMP, RAMP[1:]):
        if mean <= high:
            part = (mean - low) / (high - low)
            break
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(first, last))
    return f"#{red:02x}{green:02x}{blue:02x}", red * 30 + green * 59 + blue * 11 < 14500


def text(x, y, content, size=11, anchor="middle", fill=INK, weight=400):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
        f'fill="{fill}" font-weight="{weight}">{escape(content)}</text>'
    )


def rect(x, y, width, height, fill, tip="", radius=0):
    shape = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{radius}" fill="{fill}"'
    )
    return f"{shape}><title>{escape(tip)}</title></rect>" if tip else shape + "/>"


def column_x(hour):
    return LEFT + hour * CELL_W


def grid_step(span):
    """The round distance between grid lines that gives at most six of them."""
    return next((s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500) if span <= 6 * s), 10_000)


def draw_bars(hours, thin_below):
    """Mean delay by hour as bars; below them, in the same columns, flights and share of late.

    Bars of fewer than thin_below flights are pale, don't set the scale, and end at its border.
    """
    means = [float(stats["mean"] or 0) for stats in hours]
    solid = [m for m, stats in zip(means, hours) if stats["flights"] >= thin_below] or [0.0]
    step = grid_step(max(max(solid), 0) - min(min(solid), 0))
    low = min(0, math.floor(min(solid) / step) * step)
    high = max(step, math.ceil(max(solid) / step) * step)
    scale = BARS_H / (high - low)

    def level(value):
        return BARS_TOP + (high - min(max(value, low), high)) * scale

    parts = [text(LEFT, BARS_TOP - 22, "Mean delay at arrival by hour of departure, minutes", 14,
                  "start", INK, 600)]
    for value in range(low, high + 1, step):
        y = level(value)
        line = FAINT if value == 0 else GRID
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 40}" stroke="{line}" stroke-width="1"/>')
        parts.append(text(LEFT - 8, y + 4, str(value), 11, "end", FAINT))
    for hour, stats in enumerate(hours):
        middle = column_x(hour) + CELL_W / 2
        if stats["flights"]:
            tip = (f"{hour:02d}:00 mean {stats['mean']} min, median {stats['median']}, "
                   f"p90 {stats['p90']}, {stats['flights']} flights")
            fill = BAR if stats["flights"] >= thin_below else BAR_THIN
            top, bottom = level(max(means[hour], 0)), level(min(means[hour], 0))
            parts.append(rect(middle - 14, top, 28, max(bottom - top, 0.5), fill, tip, 2))
            above = means[hour] >= 0
            parts.append(text(middle, top - 5 if above else bottom + 13, fixed_one(stats), 10.5))
        bottom = BARS_TOP + BARS_H
        parts.append(text(middle, bottom + 20, f"{hour:02d}", 12, "middle", INK, 600))
        parts.append(text(middle, bottom + 38, short(stats["flights"]), 10.5, "middle", FAINT))
        late = f"{float(stats['share']):.0f} %" if stats["flights"] else ""
        parts.append(text(middle, bottom + 54, late, 10.5, "middle", FAINT))
    for row, label in ((20, "hour"), (38, "flights"), (54, f"> {LATE_MINUTES} min")):
        parts.append(text(LEFT - 8, BARS_TOP + BARS_H + row, label, 11, "end", FAINT))
    return parts


def fixed_one(stats):
    return fixed(stats["sum"], stats["flights"], 1)


def short(count):
    """A count in three digits or so: 950, 9.5k, 95k."""
    if count < 1000:
        return str(count)
    return fixed(count, 1000, 1) + "k" if count < 9950 else f"{(count + 500) // 1000}k"


def draw_heat_map(counts, rows, top):
    heading = f"Mean delay of the {len(rows)} busiest airports by hour of departure"
    parts = [text(LEFT, top - 34, heading, 14, "start", INK, 600)]
    for hour in range(HOURS):
        parts.append(text(column_x(hour) + CELL_W / 2, top - 8, f"{hour:02d}", 11, "middle", FAINT))
    for line, (number, airport, _) in enumerate(rows):
        y = top + line * CELL_H
        parts.append(text(LEFT - 8, y + 15, airport, 12, "end", INK, 600))
        for hour in range(HOURS):
            flights, mean = cell_mean(counts, number, hour)
            x = column_x(hour)
            tip = f"{airport} {hour:02d}:00 mean {mean or '-'} min, {flights} flights"
            if flights < CELL_FLIGHTS_MIN:
                parts.append(rect(x + 0.5, y + 0.5, CELL_W - 1, CELL_H - 1, "#f5f6f8", tip, 2))
                continue
            fill, dark = blend(float(mean))
            parts.append(rect(x + 0.5, y + 0.5, CELL_W - 1, CELL_H - 1, fill, tip, 2))
            shown = fixed(int(counts.cell_delay[number * HOURS + hour]), flights, 1)
            parts.append(text(x + CELL_W / 2, y + 15, shown, 10, "middle", PAPER if dark else INK))
    return parts


def draw_legend(y):
    width = 300
    stops = []
    low, high = RAMP[0][0], RAMP[-1][0]
    for value, (red, green, blue) in RAMP:
        offset = (value - low) / (high - low)
        stops.append(f'<stop offset="{offset:.4f}" stop-color="#{red:02x}{green:02x}{blue:02x}"/>')
    parts = [f'<defs><linearGradient id="ramp">{"".join(stops)}</linearGradient></defs>',
             rect(LEFT, y, width, 12, "url(#ramp)", "", 2)]
    for value, _ in RAMP:
        x = LEFT + width * (value - low) / (high - low)
        parts.append(text(x, y + 27, f"{value}", 11, "middle", FAINT))
    notes = (f"minutes; blank cells: fewer than {CELL_FLIGHTS_MIN} flights",
             f"pale bars: hours with less than {100 // THIN_SHARE} % of an average hour's flights, "
             "cut at the top")
    for line, note in enumerate(notes):
        parts.append(text(LEFT + width + 18, y + 10 + line * 17, note, 11, "start", FAINT))
    return parts


def write_chart(arguments, counts, listed, hours, overall, period):
    rows = listed[: arguments.top]
    map_top = BARS_TOP + BARS_H + 54 + 84
    legend_y = map_top + len(rows) * CELL_H + 22
    height = legend_y + 52
    title_size = min(26.0, (WIDTH - LEFT - 40) / (0.56 * max(len(arguments.title), 1)))
    subtitle = (f"{overall['flights']:,} flights, {period[0][:10]} to {period[1][:10]}: "
                f"mean {overall['mean']} min, median {overall['median']} min, "
                f"90 % within {overall['p90']} min, "
                f"{overall['share']} % more than {LATE_MINUTES} min late")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" font-family={quoteattr(FONT)} role="img">',
        f"<title>{escape(arguments.title)}</title>",
        rect(0, 0, WIDTH, height, PAPER),
        text(LEFT, 50, arguments.title, f"{title_size:.1f}", "start", INK, 700),
        text(LEFT, 76, subtitle, 13, "start", FAINT),
    ]
    parts += draw_bars(hours, overall["flights"] // (HOURS * THIN_SHARE))
    parts += draw_heat_map(counts, rows, map_top)
    parts += draw_legend(legend_y)
    write("chart.svg", "\n".join(parts + ["</svg>"]) + "\n")


# ---- main ---------------------------------------------------------------------------------


def title(value):
    if not 1 <= len(value) <= TITLE_MAX:
        raise argparse.ArgumentTypeError(f"1 to {TITLE_MAX} characters expected")
    if any(unicodedata.category(c).startswith("C") for c in value):
        raise argparse.ArgumentTypeError("control characters aren't allowed")
    return value


def whole(low, high):
    def parse(value):
        if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
            raise argparse.ArgumentTypeError(f"a whole number from {low} to {high} expected")
        return int(value)

    return parse


def parse_arguments():
    parser = argparse.ArgumentParser(description="Delay statistics of flights", allow_abbrev=False)
    parser.add_argument("--min-flights", type=whole(1, 10**9), default=100, metavar="N",
                        help="list airports with at least N flights (default 100)")
    parser.add_argument("--top", type=whole(1, TOP_MAX), default=20, metavar="N",
                        help="airports in the heat map (default 20)")
    parser.add_argument("--title", type=title, default="Flight delays", help="the chart's title")
    return parser.parse_args()


def say(message):
    print(f"[{time.process_time():5.2f} s] {message}", flush=True)


def run(arguments):
    columns, airports = load(INPUT)
    say(f"{len(columns['delay'])} flights, {len(airports)} airports")
    counts = Counts(columns, airports)
    say("counted")
    listed = airport_rows(counts, airports, arguments.min_flights)
    hours = [statistics(histogram, counts.low) for histogram in counts.by_hour]
    overall = statistics(counts.by_hour.sum(axis=0), counts.low)
    first, last = int(columns["minutes"].min()), int(columns["minutes"].max())
    period = [str(np.datetime64(minute, "m")) for minute in (first, last)]
    write_tables(counts, listed, hours, arguments.top)
    write_summary(arguments, airports, listed, overall, period)
    say(f"tables of {len(listed)} airports written")
    write_chart(arguments, counts, listed, hours, overall, period)
    say("chart written")


def main():
    arguments = parse_arguments()
    try:
        run(arguments)
    except (InputError, OSError) as error:
        print(f"flights: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
