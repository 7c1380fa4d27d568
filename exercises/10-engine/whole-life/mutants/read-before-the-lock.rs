let Some(mut record) = Self::load(home, id)? else { return Ok(None) };
let Some(_lock) = lock(home, id)? else { return Ok(None) };
change(&mut record);
record.save(home)?;
Ok(Some(record))
