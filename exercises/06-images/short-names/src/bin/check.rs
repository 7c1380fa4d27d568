//! Is each short name read in the one way that everybody means?

use std::error::Error;
use std::process::ExitCode;

use course_check::Check;

/// A name, how it is to be read, and what leads to another reading.
struct Case {
    name: String,
    read: String,
    cause: &'static str,
}

fn case(name: String, read: String, cause: &'static str) -> Case {
    Case { name, read, cause }
}

/// Names that are new each time.
fn cases(check: &mut Check) -> Vec<Case> {
    let [image, team, host, tag] = [(); 4].map(|()| check.word());
    let port = check.number(1024..=65535);
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    vec![
        case(
            image.clone(),
            format!("docker.io library/{image} latest"),
            "a name alone is in `library` on Docker Hub",
        ),
        case(
            format!("{image}:{tag}"),
            format!("docker.io library/{image} {tag}"),
            "a colon without a slash after it starts the tag",
        ),
        case(
            format!("{team}/{image}:{port}"),
            format!("docker.io {team}/{image} {port}"),
            "what stands before the slash has no dot and no colon: a namespace on Docker Hub; and a tag may be a number",
        ),
        case(
            format!("{host}:{port}/{image}"),
            format!("{host}:{port} {image} latest"),
            "a colon with a slash after it belongs to a port, and what has a port is a registry",
        ),
        case(
            format!("{host}.example:{port}/{team}/{image}:{tag}"),
            format!("{host}.example:{port} {team}/{image} {tag}"),
            "two colons: the one after the last slash starts the tag",
        ),
        case(
            format!("{host}.example/{image}"),
            format!("{host}.example {image} latest"),
            "`library` is Docker Hub's alone",
        ),
        case(
            format!("localhost/{image}"),
            format!("localhost {image} latest"),
            "`localhost` is a registry without a dot",
        ),
        case(
            format!("index.docker.io/{image}:{tag}"),
            format!("docker.io library/{image} {tag}"),
            "another name of Docker Hub",
        ),
        case(
            format!("registry-1.docker.io/{team}/{image}"),
            format!("docker.io {team}/{image} latest"),
            "another name of Docker Hub",
        ),
        case(
            format!("{image}@{digest}"),
            format!("docker.io library/{image} -"),
            "a digest says it all: no `latest` is understood beside it",
        ),
    ]
}

fn read(check: &Check, names: &[String]) -> Result<Vec<String>, Box<dyn Error>> {
    let mut program = check.start("driver", names)?;
    let lines = names.iter().map(|_| program.line()).collect::<Result<_, _>>()?;
    program.finish()?;
    Ok(lines)
}

fn main() -> ExitCode {
    course_check::main(|check| {
        check.proving(1);
        let cases = cases(check);
        let names: Vec<String> = cases.iter().map(|case| case.name.clone()).collect();
        for (case, found) in cases.iter().zip(read(check, &names)?) {
            check
                .invariant(1, format!("`{}` is read in the one way that it means", case.name))
                .expected(&case.read)
                .found(&found)
                .cause(case.cause)
                .holds(found == case.read);
        }
        let word = check.word();
        let wrong = [
            format!("{word}:"),
            format!("{word}/"),
            format!("/{word}"),
            format!("{word}:80:80/{word}"),
            format!("http://{word}.example/{word}"),
        ];
        for (name, found) in wrong.iter().zip(read(check, &wrong)?) {
            check
                .invariant(1, format!("`{name}` is no name"))
                .expected("refused")
                .found(&found)
                .cause("a part that is there and empty, or one colon too many, was made into something")
                .holds(found.starts_with("refused"));
        }
        Ok(())
    })
}
