//! The charts of a report, as SVG.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

use chrono::NaiveDate;
use plotters::prelude::*;

use crate::failure::Failure;

const SIZE: (u32, u32) = (1200, 600);
/// So many agencies have a line of their own.
const LINES: usize = 8;
const OTHERS: &str = "others";

fn failed(error: impl Display) -> Failure {
    Failure::Report(error.to_string())
}

/// Accesses by day, a line for each agency.
pub(super) fn days(path: &Path, days: &BTreeMap<NaiveDate, BTreeMap<String, u64>>) -> Result<(), Failure> {
    let (Some((first, _)), Some((last, _))) = (days.first_key_value(), days.last_key_value()) else {
        return empty(path);
    };
    let lines = by_agency(days);
    let most = lines.iter().flat_map(|(_, of)| of.values()).copied().max().unwrap_or_default();
    let length = i32::try_from((*last - *first).num_days()).map_err(failed)?;
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE).map_err(failed)?;
    let mut chart = ChartBuilder::on(&root)
        .caption("Accesses per day, by agency", ("sans-serif", 24))
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d(0..length.max(1), 0..most + most / 4 + 1)
        .map_err(failed)?;
    let day = |it: &i32| {
        first.checked_add_signed(chrono::Duration::days((*it).into())).map_or(String::new(), |it| it.to_string())
    };
    chart.configure_mesh().x_label_formatter(&day).y_desc("Accesses").draw().map_err(failed)?;
    for (at, (agency, of)) in lines.iter().enumerate() {
        let colour = Palette99::pick(at).to_rgba();
        // Days without any are there too, so that a line does not pass over them.
        let points =
            (0..=length).zip(first.iter_days()).map(|(at, day)| (at, of.get(&day).copied().unwrap_or_default()));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)).point_size(2))
            .map_err(failed)?
            .label(agency.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
    }
    let mut legend = chart.configure_series_labels();
    legend.position(SeriesLabelPosition::UpperRight).background_style(WHITE.mix(0.8)).border_style(BLACK);
    legend.draw().map_err(failed)?;
    root.present().map_err(failed)
}

/// Accesses by hour of the day, in working hours and outside.
pub(super) fn hours(path: &Path, hours: &[[u64; 2]; 24]) -> Result<(), Failure> {
    let most = hours.iter().map(|it| it.iter().sum()).max().unwrap_or(0_u64);
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE).map_err(failed)?;
    let mut chart = ChartBuilder::on(&root)
        .caption("Accesses per hour of the day, Malaysian time", ("sans-serif", 24))
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d(0..24_u32, 0..most + most / 4 + 1)
        .map_err(failed)?;
    chart.configure_mesh().disable_x_mesh().x_labels(24).x_desc("Hour").y_desc("Accesses").draw().map_err(failed)?;
    // Outside on top of within.
    for (name, colour, outside) in [("in working hours", BLUE, false), ("out of hours", RED, true)] {
        let bar = |(hour, [within, out]): (u32, &[u64; 2])| {
            let (from, to) = if outside { (*within, within + out) } else { (0, *within) };
            Rectangle::new([(hour, from), (hour + 1, to)], colour.mix(0.6).filled())
        };
        chart
            .draw_series((0..).zip(hours).map(bar))
            .map_err(failed)?
            .label(name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 20, y + 5)], colour.mix(0.6).filled()));
    }
    let mut legend = chart.configure_series_labels();
    legend.position(SeriesLabelPosition::UpperRight).background_style(WHITE.mix(0.8)).border_style(BLACK);
    legend.draw().map_err(failed)?;
    root.present().map_err(failed)
}

/// A chart of nothing.
fn empty(path: &Path) -> Result<(), Failure> {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE).map_err(failed)?;
    let text = Text::new("No accesses", (40, 40), ("sans-serif", 24));
    root.draw(&text).map_err(failed)?;
    root.present().map_err(failed)
}

type Line = BTreeMap<NaiveDate, u64>;

/// The days of each agency, those with the most accesses first; the many with few are one line together.
fn by_agency(days: &BTreeMap<NaiveDate, BTreeMap<String, u64>>) -> Vec<(String, Line)> {
    let mut all: BTreeMap<&str, Line> = BTreeMap::new();
    for (day, agencies) in days {
        for (agency, count) in agencies {
            all.entry(agency).or_default().insert(*day, *count);
        }
    }
    let mut lines: Vec<(String, Line)> = all.into_iter().map(|(agency, line)| (agency.to_owned(), line)).collect();
    lines.sort_by_key(|(_, line)| Reverse(line.values().sum::<u64>()));
    if lines.len() > LINES {
        let mut others = Line::new();
        for (day, count) in lines.drain(LINES - 1..).flat_map(|(_, line)| line) {
            *others.entry(day).or_default() += count;
        }
        lines.push((OTHERS.to_owned(), others));
    }
    lines
}
