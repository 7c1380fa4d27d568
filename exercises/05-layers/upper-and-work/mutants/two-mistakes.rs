match lower {
    Lower::Each => {
        for tree in self.lower.iter().rev() {
            context.set_string("lowerdir+", &names.of(tree)?).map_err(failed)?;
        }
    }
    Lower::Joined => {
        let mut joined = self.joined(&mut names)?;
        if joined.len() >= STRING {
            names = Names::new(0);
            joined = self.joined(&mut names)?;
        }
        context.set_string("lowerdir", &joined).map_err(failed)?;
    }
}
if let Some(Upper { tree, work }) = &self.upper {
    context.set_string("upperdir", &names.of(work)?).map_err(failed)?;
    context.set_string("workdir", &names.of(tree)?).map_err(failed)?;
}
