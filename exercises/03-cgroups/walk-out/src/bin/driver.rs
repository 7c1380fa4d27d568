//! `driver COUNT`: waits for a line, then becomes a shell that reads your attack and starts COUNT processes.

use std::error::Error;
use std::io::stdin;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

const ESCAPE: &str = include_str!("../escape.sh");
/// Says which process is speaking, starts what it can, and stays until its input ends.
const ARMY: &str = "
i=0
while [ $i -lt COUNT ]; do
    sleep 60 < /dev/null > /dev/null 2>&1 &
    i=$((i + 1))
done
echo started
read end
";

fn main() -> Result<(), Box<dyn Error>> {
    let count: u32 = std::env::args().nth(1).ok_or("usage: driver COUNT")?.parse()?;
    println!("ready");
    stdin().read_line(&mut String::new())?;
    let script = format!("{ESCAPE}\n{}", ARMY.replace("COUNT", &count.to_string()));
    Err(Command::new("sh").arg("-c").arg(script).exec().into())
}
