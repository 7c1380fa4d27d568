match channel::next(channel).map_err(StartError::Prepare)? {
    Report::Done(index, took) => {
        if let Some(step) = self.plan.inside.get(index) {
            self.tell(first + index, step, took);
        }
    }
    Report::Failed(index, source) => return Err(self.failure(index, source)),
    Report::Console(master) => return Ok(Some(master)),
    Report::Asked => self.do_meanwhile(channel)?,
    Report::Running => return Ok(console),
}
