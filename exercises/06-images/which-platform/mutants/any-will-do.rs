let fits = |entry: &&Descriptor| {
    entry.platform().as_ref().is_some_and(|platform| {
        let variant = platform.variant().as_deref();
        platform.os().to_string() == self.os
            && platform.architecture().to_string() == self.architecture
            && self.variant.as_deref().is_none_or(|wanted| variant.unwrap_or("v8") == wanted)
    })
};
entries.iter().find(fits).or(entries.first())
