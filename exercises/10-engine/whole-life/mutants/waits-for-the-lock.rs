let lock = record::lock(home, id).ok().flatten()?;
let mut record = Record::load(home, id).ok().flatten()?;
if !is_broken(&record) {
    return Some(record);
}
