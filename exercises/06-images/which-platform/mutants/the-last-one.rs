let mut chosen = None;
for entry in entries {
    let Some(platform) = entry.platform() else { continue };
    let variant = platform.variant().as_deref().unwrap_or("v8");
    if platform.os().to_string() == self.os
        && platform.architecture().to_string() == self.architecture
        && self.variant.as_deref().is_none_or(|wanted| variant == wanted)
    {
        chosen = Some(entry);
    }
}
chosen
