let place = Place::parse(name)?;
Ok(Meaning::Make(place))
