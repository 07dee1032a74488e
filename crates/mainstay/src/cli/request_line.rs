//! One line for one request, for a person who watches.
//!
//! The status first, for that is what one looks for; then the method, the path
//! without its query (filters hold people's data), how long it took, and for an
//! answer that failed the request's id, by which its cause stands in the log.

use mainstay_web::middleware::RequestEvent;

use super::output::Style;

/// The line of a request.
pub(crate) fn request_line(event: &RequestEvent, style: Style) -> String {
    let status = event.status.as_u16().to_string();
    let status = match event.status.as_u16() {
        500.. => style.red(&status),
        400..500 => style.yellow(&status),
        300..400 => style.cyan(&status),
        _ => style.green(&status),
    };
    let method = format!("{:<7}", event.method.as_str());
    let path = printable(&event.path);
    let took = style.dim(&duration(event.duration_us));
    let mut line = format!("{status} {method} {path}  {took}");
    if event.status.is_server_error() {
        line.push_str(&style.dim(&format!("  request {}", event.request_id.as_str())));
    }
    line
}

/// The path with what a terminal would act on made visible.
fn printable(path: &str) -> String {
    path.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_duration_is_told_in_the_unit_a_person_would_use() {
        let told: Vec<String> = [0, 999, 1_000, 12_345, 999_999, 1_000_000, 61_500_000]
            .into_iter()
            .map(duration)
            .collect();
        expect!["0 µs, 999 µs, 1.0 ms, 12.3 ms, 999.9 ms, 1.0 s, 61.5 s"]
            .assert_eq(&told.join(", "));
    }

    #[test]
    fn a_path_cannot_drive_the_terminal() {
        assert_eq!(printable("/a\u{1b}[31mb\n"), "/a\u{fffd}[31mb\u{fffd}");
    }
}
