//! `--health-*`: how the health of a container is looked after, as typed.

use anyhow::bail;
use mini_engine::Config;
use mini_images::config::Healthcheck;

use crate::cli::Make;

/// What the user says of its health; none where that is nothing. Docker's words for what makes no sense.
pub(crate) fn healthcheck(args: &Make) -> anyhow::Result<Option<Healthcheck>> {
    let times = [
        ("interval", args.health_interval),
        ("timeout", args.health_timeout),
        ("start-period", args.health_start_period),
        ("start-interval", args.health_start_interval),
    ];
    let says_something = args.health_cmd.is_some()
        || args.health_retries.is_some()
        || times.iter().any(|(_, time)| time.is_some());
    if args.no_healthcheck {
        if says_something {
            bail!("--no-healthcheck conflicts with --health-* options");
        }
        return Ok(Some(Healthcheck { test: vec!["NONE".to_owned()], ..Healthcheck::default() }));
    }
    if !says_something {
        return Ok(None);
    }
    for (name, time) in times {
        if time.is_some_and(|time| time.0 < 0) {
            bail!("--health-{name} cannot be negative");
        }
    }
    if args.health_retries.is_some_and(|retries| retries < 0) {
        bail!("--health-retries cannot be negative");
    }
    let test = args.health_cmd.iter().flat_map(|command| ["CMD-SHELL".to_owned(), command.clone()]).collect();
    let nanoseconds = |time: Option<crate::values::Pause>| time.map_or(0, |time| time.0);
    Ok(Some(Healthcheck {
        test,
        interval: nanoseconds(args.health_interval),
        timeout: nanoseconds(args.health_timeout),
        start_period: nanoseconds(args.health_start_period),
        start_interval: nanoseconds(args.health_start_interval),
        retries: args.health_retries.unwrap_or(0),
    }))
}

/// Docker's words for pauses that nobody can keep.
pub(crate) fn check_health(config: &Config) -> anyhow::Result<()> {
    const SHORTEST: i64 = 1_000_000;
    let Some(check) = &config.healthcheck else { return Ok(()) };
    let times = [
        ("Interval", check.interval),
        ("Timeout", check.timeout),
        ("StartPeriod", check.start_period),
        ("StartInterval", check.start_interval),
    ];
    for (name, time) in times {
        if time != 0 && time < SHORTEST {
            bail!("{name} in Healthcheck cannot be less than 1ms");
        }
    }
    Ok(())
}
