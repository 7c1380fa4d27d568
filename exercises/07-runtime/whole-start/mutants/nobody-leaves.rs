if matches!(self.wish, Wish::AllOutput | Wish::Output) && !self.leaving {
    self.push(output.clone());
}
