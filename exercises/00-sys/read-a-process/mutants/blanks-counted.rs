let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
let word = stat.split_whitespace().nth(3);
word.and_then(|number| number.parse().ok()).ok_or(io::ErrorKind::InvalidData.into())
