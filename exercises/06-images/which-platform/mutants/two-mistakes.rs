entries.iter().find(|entry| {
    entry.platform().as_ref().is_some_and(|platform| {
        platform.architecture().to_string() == self.architecture
            && self
                .variant
                .as_deref()
                .is_none_or(|wanted| platform.variant().as_deref() == Some(wanted))
    })
})
