entries.iter().find(|entry| {
    entry.platform().as_ref().is_some_and(|platform| {
        platform.os().to_string() == self.os && platform.architecture().to_string() == self.architecture
    })
})
