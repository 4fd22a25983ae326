module example.org/hearth-policies

go 1.19
