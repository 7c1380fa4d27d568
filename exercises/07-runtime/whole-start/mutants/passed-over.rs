match channel::next(channel).map_err(StartError::Prepare)? {
    Report::Console(master) => console = Some(master),
    Report::Asked => self.do_meanwhile(channel)?,
    Report::Done(..) | Report::Failed(..) => {}
    Report::Running => return Ok(console),
}
