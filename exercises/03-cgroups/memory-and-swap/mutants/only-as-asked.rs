self.memory_swap
