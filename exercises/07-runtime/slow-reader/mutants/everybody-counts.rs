!self.leaving && self.queue.len() >= PATIENT
